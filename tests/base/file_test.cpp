#include "base/file.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/error.hpp"
#include "base/sha256.hpp"
#include "support/scratch.hpp"

namespace adapt {
namespace {

std::string text_of(const std::filesystem::path& path) { return read_text(path, kSmallFile); }

TEST(File, WritesAndReplacesWhole) {
  const test::Scratch scratch;
  const auto path = scratch.path() / "a";
  write_atomically(path, std::string("first, longer"));
  write_atomically(path, std::string("second"));
  EXPECT_EQ(text_of(path), "second");
  const auto entries = std::filesystem::directory_iterator(scratch.path());
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 1) << "a temporary file was left behind";
}

/// A link under the name that temporary files had once, for everybody to foresee.
TEST(File, WritesThroughNoPlantedLink) {
  const test::Scratch scratch;
  const auto precious = scratch.path() / "precious";
  write_atomically(precious, std::string("mine"));
  std::filesystem::create_symlink(precious, scratch.path() / concat("a.tmp.", ::getpid()));
  std::filesystem::create_symlink(precious, scratch.path() / "b");
  write_atomically(scratch.path() / "a", std::string("result"));
  write_atomically(scratch.path() / "b", std::string("result"));
  EXPECT_FALSE(create_exclusively(scratch.path() / concat("a.tmp.", ::getpid()), "result"));
  EXPECT_EQ(text_of(precious), "mine");
  EXPECT_EQ(text_of(scratch.path() / "b"), "result");
  EXPECT_FALSE(std::filesystem::is_symlink(scratch.path() / "b"));
}

TEST(File, NamesAreNotForeseen) {
  EXPECT_EQ(random_digits().size(), 16U);
  EXPECT_NE(random_digits(), random_digits());
}

TEST(Folder, WorksInTheFolderThatWasOpenedAndInNoLink) {
  const test::Scratch scratch;
  const auto mine = scratch.path() / "mine";
  const auto others = scratch.path() / "others";
  std::filesystem::create_directory(mine);
  std::filesystem::create_directory(others);
  write_atomically(others / "a", std::string("theirs"));
  const Folder folder(mine, Folder::Links::refused);
  std::filesystem::rename(mine, scratch.path() / "moved");
  std::filesystem::create_directory_symlink(others, mine);
  folder.write("b", std::as_bytes(std::span("x", 1)));
  folder.remove("a");
  EXPECT_EQ(text_of(scratch.path() / "moved" / "b"), "x");
  EXPECT_EQ(text_of(others / "a"), "theirs");
  EXPECT_FALSE(std::filesystem::exists(others / "b"));
  try {
    const Folder link(mine, Folder::Links::refused);
    FAIL() << "expected BadInput";
  } catch (const BadInput& error) {
    EXPECT_NE(std::string(error.what()).find("is a link to"), std::string::npos) << error.what();
  }
  EXPECT_NO_THROW(Folder(mine, Folder::Links::followed));
}

TEST(File, HasTheClockOfItsFileSystem) {
  const test::Scratch scratch;
  const auto path = scratch.path() / "a";
  write_atomically(path, std::string("x"));
  std::filesystem::last_write_time(path,
                                   std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  const auto now = clock_beside(path);
  ASSERT_TRUE(now && last_change(path));
  EXPECT_GT(*now - *last_change(path), std::chrono::minutes(59));
  touch(path);
  EXPECT_GE(*last_change(path), *now);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(scratch.path()), {}), 1);
  EXPECT_FALSE(last_change(scratch.path() / "nothing"));
  EXPECT_FALSE(clock_beside(scratch.path() / "missing" / "a"));
}

TEST(File, WritingIntoAMissingFolderFailsWithThePath) {
  const test::Scratch scratch;
  try {
    write_atomically(scratch.path() / "missing" / "a", std::string("x"));
    FAIL() << "expected Failure";
  } catch (const Failure& error) {
    EXPECT_NE(std::string(error.what()).find("missing"), std::string::npos) << error.what();
  }
}

TEST(File, ReadingAFolderOrNothingIsBadInput) {
  const test::Scratch scratch;
  EXPECT_THROW(read_file(scratch.path(), kSmallFile), BadInput);
  EXPECT_THROW(read_file(scratch.path() / "nothing", kSmallFile), BadInput);
}

TEST(File, TooLargeOnesAreRefusedBeforeMemoryIsTaken) {
  const test::Scratch scratch;
  const auto path = scratch.path() / "sparse";
  write_atomically(path, std::string("begins as it should"));
  constexpr std::uintmax_t kTerabyte = std::uintmax_t{1} << 40U;
  std::filesystem::resize_file(path, kTerabyte);
  EXPECT_EQ(test::refusal_of(scratch, [&] { read_file(path, kTerabyte - 1); }),
            "cannot read \"sparse\": it has 1099511627776 bytes; expected at most 1099511627775");
  std::filesystem::resize_file(path, 5);
  EXPECT_EQ(read_text(path, 5), "begin");
}

TEST(Sha256, KnownDigests) {
  EXPECT_EQ(sha256({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256(std::as_bytes(std::span("abc", 3))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(File, CreatesOnlyWhatIsNotThere) {
  const test::Scratch scratch;
  const auto path = scratch.path() / "a";
  EXPECT_TRUE(create_exclusively(path, "first"));
  EXPECT_FALSE(create_exclusively(path, "second"));
  EXPECT_EQ(text_of(path), "first");
  const auto entries = std::filesystem::directory_iterator(scratch.path());
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 1) << "a draft was left behind";
  EXPECT_THROW(create_exclusively(scratch.path() / "missing" / "a", "x"), Failure);
}

}  // namespace
}  // namespace adapt
