#include "train/checkpoint_folder.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <set>

#include "base/error.hpp"
#include "support/scratch.hpp"

namespace adapt {
namespace {

class CheckpointFolderTest : public testing::Test {
 protected:
  CheckpointFolder folder(int keep = 2, const std::string& identity = "mine") {
    return {scratch_.path(), identity, keep};
  }
  static Checkpoint at(std::int64_t step) {
    Checkpoint checkpoint;
    checkpoint.step = step;
    checkpoint.state.assign(2000, static_cast<std::byte>(step));
    return checkpoint;
  }
  [[nodiscard]] std::filesystem::path file(const std::string& name) const {
    return scratch_.path() / "checkpoints" / name;
  }
  [[nodiscard]] std::set<std::string> names() const {
    std::set<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(scratch_.path() / "checkpoints")) {
      found.insert(entry.path().filename());
    }
    return found;
  }
  void damage(const std::string& name) const { std::filesystem::resize_file(file(name), 500); }

  test::Scratch scratch_;
};

constexpr std::uintmax_t kMostBytes = 1U << 20U;

using Names = std::set<std::string>;

TEST_F(CheckpointFolderTest, EmptyHasNothing) {
  CheckpointFolder checkpoints = folder();
  EXPECT_TRUE(checkpoints.empty());
  EXPECT_FALSE(checkpoints.newest(kMostBytes));
  EXPECT_EQ(checkpoints.last_step(), -1);
}

TEST_F(CheckpointFolderTest, KeepsTheLastTwoAndTheBest) {
  CheckpointFolder checkpoints = folder();
  checkpoints.write(at(4), false);
  checkpoints.write(at(8), true);
  checkpoints.write(at(12), false);
  EXPECT_EQ(names(), (Names{"best-000000008", "step-000000008", "step-000000012"}));
  checkpoints.write(at(16), true);
  checkpoints.write(at(20), false);
  checkpoints.write(at(20), false);  // again, after the evaluation
  EXPECT_EQ(names(), (Names{"best-000000016", "step-000000016", "step-000000020"}));
  checkpoints.write(at(1000000000), false);
  EXPECT_EQ(names(), (Names{"best-000000016", "step-000000020", "step-1000000000"}));
  EXPECT_EQ(folder().newest(kMostBytes)->step, 1000000000);
}

TEST_F(CheckpointFolderTest, AnotherProcessGoesOnTheSame) {
  {
    CheckpointFolder first = folder();
    first.write(at(4), true);
    first.write(at(8), false);
    first.write(at(12), false);
  }
  CheckpointFolder second = folder();
  const auto found = second.newest(kMostBytes);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->state, at(12).state);
  EXPECT_EQ(second.last_step(), 12);
  second.write(at(16), false);
  EXPECT_EQ(names(), (Names{"best-000000004", "step-000000012", "step-000000016"}));
}

TEST_F(CheckpointFolderTest, ADamagedOneIsSkippedAndDoesNotPushOutAGoodOne) {
  folder().write(at(4), true);
  CheckpointFolder first = folder(3);
  first.newest(kMostBytes);
  first.write(at(8), false);
  first.write(at(12), false);
  damage("step-000000012");
  CheckpointFolder second = folder();
  EXPECT_EQ(second.newest(kMostBytes)->step, 8);
  second.write(at(10), false);
  EXPECT_EQ(names(), (Names{"best-000000004", "step-000000008", "step-000000010"}));
}

TEST_F(CheckpointFolderTest, TheBestOneIsTheLastResort) {
  CheckpointFolder first = folder();
  first.write(at(4), true);
  first.write(at(8), false);
  first.write(at(12), false);
  damage("step-000000012");
  damage("step-000000008");
  CheckpointFolder second = folder();
  EXPECT_EQ(second.newest(kMostBytes)->step, 4);
  second.write(at(8), false);
  second.write(at(12), false);
  EXPECT_EQ(names(), (Names{"best-000000004", "step-000000008", "step-000000012"}));
}

TEST_F(CheckpointFolderTest, OneOfAnotherExperimentOrWithAWrongNameIsSkipped) {
  folder().write(at(4), false);
  folder(2, "other").write(at(8), false);
  EXPECT_EQ(names(), (Names{"step-000000008"})) << "it knew nothing of the one before";
  EXPECT_THROW(folder().newest(kMostBytes), BadInput);
  CheckpointFolder mine = folder();
  mine.write(at(4), false);
  std::filesystem::copy_file(file("step-000000004"), file("step-000000009"));
  EXPECT_EQ(folder().newest(kMostBytes)->step, 4);
}

TEST_F(CheckpointFolderTest, OtherFilesAreNobodysBusiness) {
  CheckpointFolder checkpoints = folder();
  checkpoints.write(at(4), false);
  for (const char* name : {"notes", "step-", "step-12x", "stop-000000012"}) {
    std::ofstream(file(name)) << "text";
  }
  std::ofstream(file("step-000000008.tmp.123")) << "half";
  EXPECT_EQ(folder().newest(kMostBytes)->step, 4);
  checkpoints.write(at(8), false);
  EXPECT_EQ(names(),
            (Names{"notes", "step-", "step-000000004", "step-000000008", "step-12x", "stop-000000012"}));
  folder().clear();
  EXPECT_EQ(names(), (Names{"notes", "step-", "step-12x", "stop-000000012"}));
}

TEST_F(CheckpointFolderTest, ALinkIsReadButNothingIsWrittenOrRemovedThroughIt) {
  folder(3).write(at(4), true);
  folder(3).write(at(8), false);
  const Names before = names();
  const std::filesystem::path elsewhere = scratch_.path() / "elsewhere";
  std::filesystem::rename(scratch_.path() / "checkpoints", elsewhere);
  std::filesystem::create_directory_symlink("elsewhere", scratch_.path() / "checkpoints");
  EXPECT_FALSE(folder().empty());
  EXPECT_THROW(folder().write(at(12), false), BadInput);
  EXPECT_THROW(folder().clear(), BadInput);
  EXPECT_THROW(folder(1).newest(kMostBytes), BadInput);
  EXPECT_EQ(names(), before);
  std::filesystem::remove_all(elsewhere);
  EXPECT_THROW(folder().write(at(12), false), BadInput);
  EXPECT_THROW(folder().clear(), BadInput);
  EXPECT_FALSE(std::filesystem::exists(elsewhere));
}

TEST_F(CheckpointFolderTest, APlantedLinkIsNotWrittenThrough) {
  const std::filesystem::path precious = scratch_.path() / "precious";
  std::ofstream(precious) << "mine";
  std::filesystem::create_directory(scratch_.path() / "checkpoints");
  for (const std::string& name : {std::string("step-000000004"), concat("step-000000004.tmp.", ::getpid())}) {
    std::filesystem::create_symlink(precious, file(name));
  }
  CheckpointFolder checkpoints = folder();
  checkpoints.write(at(4), false);
  EXPECT_EQ(std::filesystem::file_size(precious), 4U);
  EXPECT_EQ(names(), (Names{"step-000000004"}));
  EXPECT_EQ(folder().newest(kMostBytes)->state, at(4).state);
}

TEST_F(CheckpointFolderTest, AFolderUnderTheNameOfACheckpointIsNeitherReadNorRemoved) {
  for (const char* name : {"step-000000004", "best-000000004", "step-000000008.tmp.123"}) {
    std::filesystem::create_directories(file(name));
    std::ofstream(file(name) / "notes") << "mine";
  }
  const Names before = names();
  EXPECT_TRUE(folder().empty());
  EXPECT_FALSE(folder().newest(kMostBytes));
  CheckpointFolder checkpoints = folder(1);
  checkpoints.write(at(8), true);
  checkpoints.write(at(12), false);
  folder(1).newest(kMostBytes);
  folder().clear();
  EXPECT_EQ(names(), before);
  EXPECT_TRUE(std::filesystem::exists(file("step-000000004") / "notes"));
}

TEST_F(CheckpointFolderTest, AFileInPlaceOfTheFolderIsNamed) {
  const std::filesystem::path path = scratch_.path() / "checkpoints";
  const auto refusal = [&](const auto& work) {
    try {
      work();
    } catch (const BadInput& error) {
      return std::string(error.what());
    }
    return std::string("not refused");
  };
  const std::string expected = concat(path, " is not a folder; expected one, or nothing");
  std::ofstream(path) << "mine";
  EXPECT_EQ(refusal([&] { static_cast<void>(folder().empty()); }), expected);
  EXPECT_EQ(refusal([&] { folder().newest(kMostBytes); }), expected);
  EXPECT_EQ(refusal([&] { folder().write(at(4), false); }), expected);
  EXPECT_EQ(refusal([&] { folder().clear(); }), expected);
  std::filesystem::remove(path);
  std::filesystem::create_symlink("checkpoints", path);
  EXPECT_TRUE(folder().empty()) << "a link to itself leads nowhere";
  EXPECT_THROW(folder().write(at(4), false), BadInput);
}

/// A limit on the size of files stands for a full disk.
TEST_F(CheckpointFolderTest, WhereANewOneCannotBeWrittenTheOldOnesStay) {
  CheckpointFolder checkpoints = folder(1);
  checkpoints.write(at(4), true);
  rlimit before = {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit tight = {1000, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
  EXPECT_THROW(checkpoints.write(at(8), true), Failure);
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(names(), (Names{"best-000000004", "step-000000004"}));
  EXPECT_EQ(checkpoints.last_step(), 4);
  checkpoints.write(at(8), true);
  EXPECT_EQ(names(), (Names{"best-000000008", "step-000000008"}));
}

}  // namespace
}  // namespace adapt
