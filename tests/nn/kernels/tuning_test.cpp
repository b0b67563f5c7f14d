// Who of several kernels multiplies: the fastest in a trial, or who is remembered.

#include "nn/kernels/tuning.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "support/scratch.hpp"

namespace adapt {
namespace {

class KernelRecordTest : public testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path file() const { return scratch_.path() / "new" / "kernels.json"; }
  void write(const std::string& text) const {
    std::filesystem::create_directories(file().parent_path());
    write_atomically(file(), text);
  }
  /// What a process on that machine knows.
  [[nodiscard]] std::string known(const std::string& machine, const std::string& task) const {
    KernelRecord record;
    static_cast<void>(record.open(file(), machine));
    return record.fastest(task).value_or("nothing");
  }
  void note(const std::string& machine, const std::string& task, const std::string& kernel) const {
    KernelRecord record;
    static_cast<void>(record.open(file(), machine));
    record.note(task, kernel);
    record.save();
  }

 private:
  test::Scratch scratch_;
};

TEST_F(KernelRecordTest, RemembersByMachineAndTask) {
  note("one", "task", "own");
  note("one", "other", "oneDNN");
  note("two", "task", "wide");
  EXPECT_EQ(known("one", "task"), "own");
  EXPECT_EQ(known("one", "other"), "oneDNN");
  EXPECT_EQ(known("two", "task"), "wide");
  EXPECT_EQ(known("two", "other"), "nothing");
}

TEST_F(KernelRecordTest, KeepsWhatOthersWroteMeanwhile) {
  KernelRecord first;
  EXPECT_EQ(first.open(file(), "one"), "");
  note("one", "theirs", "own");
  first.note("ours", "oneDNN");
  first.save();
  EXPECT_EQ(known("one", "theirs"), "own");
  EXPECT_EQ(known("one", "ours"), "oneDNN");
}

TEST_F(KernelRecordTest, WritesNothingWithoutNews) {
  KernelRecord record;
  EXPECT_EQ(record.open(file(), "one"), "");
  record.save();
  EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(KernelRecordTest, IsMadeAnewWhereTheFileMakesNoSense) {
  for (const std::string text :
       {"{\"machines\": {\"one\": ", "[]", "{\"machines\": [1]}", "{\"machines\": {\"one\": 3}}",
        "{\"machines\": {\"one\": {\"task\": [1]}}}"}) {
    write(text);
    EXPECT_NE(known("one", "task"), "own") << text;
    note("one", "task", "own");
    EXPECT_EQ(known("one", "task"), "own") << text;
  }
}

TEST_F(KernelRecordTest, SaysWhatIsWrongWithTheFile) {
  write("{");
  KernelRecord record;
  EXPECT_NE(record.open(file(), "one").find("kernels.json: not valid JSON"), std::string::npos);
}

TEST_F(KernelRecordTest, WritesThroughLinksAndReplacesNothingElse) {
  write("{}");
  const std::filesystem::path link = file().parent_path() / "link";
  const std::filesystem::path pipe = file().parent_path() / "pipe";
  std::filesystem::create_symlink(file(), link);
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  for (const auto& path : {link, pipe}) {
    KernelRecord record;
    static_cast<void>(record.open(path, "one"));
    record.note("task", "own");
    testing::internal::CaptureStderr();
    record.save();
    EXPECT_EQ(testing::internal::GetCapturedStderr().find("not a regular file") != std::string::npos,
              path == pipe);
  }
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_TRUE(std::filesystem::is_fifo(pipe));
  EXPECT_EQ(known("one", "task"), "own");
}

TEST_F(KernelRecordTest, AFileNameAloneIsOneOfTheWorkingFolder) {
  std::filesystem::create_directories(file().parent_path());
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(file().parent_path());
  KernelRecord record;
  EXPECT_EQ(record.open("kernels.json", "one"), "");
  record.note("task", "own");
  record.save();
  std::filesystem::current_path(before);
  EXPECT_EQ(known("one", "task"), "own");
}

TEST_F(KernelRecordTest, OneThatCannotBeWrittenIsAWarning) {
  write("{}");
  for (const auto& path : {file() / "below_a_file", file().parent_path() / std::string(5000, 'x')}) {
    testing::internal::CaptureStderr();
    KernelRecord record;
    static_cast<void>(record.open(path, "one"));
    record.note("task", "own");
    record.save();
    EXPECT_NE(testing::internal::GetCapturedStderr().find("--no-tune"), std::string::npos) << path;
  }
}

TEST_F(KernelRecordTest, KnowsNothingWhereItIsOff) {
  KernelRecord record;
  record.note("task", "own");
  record.switch_off();
  EXPECT_FALSE(record.fastest("task"));
}

TEST(KernelTrials, TheFastestTimeDecides) {
  KernelTrials trials("a task of this test", {"slow", "fast", "erratic"});
  std::vector<std::size_t> order;
  while (!trials.is_decided()) {
    order.push_back(trials.next());
    const double seconds[] = {2, 1, order.size() < 4 ? 9.0 : 1.5};
    trials.ran(seconds[trials.next()]);
  }
  EXPECT_EQ(order, (std::vector<std::size_t>{0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2}));
  EXPECT_EQ(trials.next(), 1U);
  EXPECT_EQ(KernelRecord::of_process().fastest("a task of this test"), "fast");
  // Who comes later need not try.
  const KernelTrials later("a task of this test", {"erratic", "fast"});
  EXPECT_TRUE(later.is_decided());
  EXPECT_EQ(later.next(), 1U);
  EXPECT_FALSE(KernelTrials("a task of this test", {"slow", "new"}).is_decided())
      << "the fastest is not there";
}

TEST(KernelTrials, OneKernelNeedsNone) {
  const KernelTrials trials("another task", {"only"});
  EXPECT_TRUE(trials.is_decided());
  EXPECT_EQ(trials.next(), 0U);
}

}  // namespace
}  // namespace adapt
