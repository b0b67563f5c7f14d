#include "base/file.hpp"

#include <gtest/gtest.h>

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
