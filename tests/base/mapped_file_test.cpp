#include "base/mapped_file.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "base/error.hpp"
#include "support/scratch.hpp"

namespace adapt {
namespace {

std::filesystem::path written(const test::Scratch& scratch, const std::string& text) {
  const std::filesystem::path path = scratch.path() / "file";
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

TEST(MappedFile, HoldsTheFilesBytes) {
  const test::Scratch scratch;
  const MappedFile file(written(scratch, "some bytes"));
  EXPECT_EQ(std::string(file.bytes().begin(), file.bytes().end()), "some bytes");
  EXPECT_TRUE(MappedFile(written(scratch, "")).bytes().empty());
}

TEST(MappedFile, StaysWhenTheFilesNameIsGone) {
  const test::Scratch scratch;
  const std::filesystem::path path = written(scratch, "bytes");
  const MappedFile file(path);
  std::filesystem::remove(path);
  EXPECT_EQ(file.bytes()[4], 's');
}

TEST(MappedFile, OneThatIsWrittenToIsNoticed) {
  const test::Scratch scratch;
  const std::filesystem::path path = written(scratch, "bytes");
  std::filesystem::last_write_time(path,
                                   std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  const auto file = std::make_unique<MappedFile>(path);
  MappedFile::check_all();
  {
    std::fstream same(path, std::ios::in | std::ios::out | std::ios::binary);
    same << "B";
  }
  try {
    MappedFile::check_all();
    FAIL() << "not noticed";
  } catch (const Failure& error) {
    EXPECT_NE(std::string(error.what()).find(path.string() + " was written to"), std::string::npos)
        << error.what();
  }
}

TEST(MappedFile, AnotherFileUnderItsNameDoesNotMatter) {
  const test::Scratch scratch;
  const std::filesystem::path path = written(scratch, "bytes");
  const MappedFile file(path);
  std::ofstream(scratch.path() / "other") << "other";
  std::filesystem::rename(scratch.path() / "other", path);
  MappedFile::check_all();
  EXPECT_EQ(file.bytes()[0], 'b');
}

TEST(MappedFile, WhatIsNoFileIsRefused) {
  const test::Scratch scratch;
  EXPECT_THROW(MappedFile(scratch.path()), BadInput);
  EXPECT_THROW(MappedFile(scratch.path() / "nothing"), BadInput);
}

TEST(MappedFileDeathTest, AFileThatBecomesShorterEndsTheProcessWithItsPath) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const test::Scratch scratch;
  const std::filesystem::path path = written(scratch, std::string(100'000, 'x'));
  const auto read_what_is_gone = [&] {
    const MappedFile file(path);
    std::filesystem::resize_file(path, 10);
    const volatile std::uint8_t lost = file.bytes()[70'000];
    static_cast<void>(lost);
  };
  EXPECT_EXIT(read_what_is_gone(), testing::ExitedWithCode(1),
              "adapt: error: .*/file: byte 70000 cannot be read any more: the file became shorter");
}

}  // namespace
}  // namespace adapt
