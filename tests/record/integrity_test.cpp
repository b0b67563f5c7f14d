#include "record/integrity.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/file.hpp"
#include "support/scratch.hpp"

namespace adapt {
namespace {

std::vector<std::byte> sealed(std::size_t size) {
  std::vector<std::byte> bytes(size, std::byte{0x5a});
  append_seal(bytes);
  return bytes;
}

TEST(Seal, IsOneLineAtTheEnd) {
  const std::vector<std::byte> bytes = sealed(0);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()),
            "adapt-run sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n");
}

TEST(Seal, TellsIntactFromChangedBytes) {
  const std::vector<std::byte> good = sealed(300);
  EXPECT_EQ(check_seal(good), Seal::intact);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::vector<std::byte> bad = good;
    bad[i] ^= std::byte{1};
    EXPECT_NE(check_seal(bad), Seal::intact) << "byte " << i;
    if (i < 300) {
      EXPECT_EQ(check_seal(bad), Seal::broken) << "byte " << i;
    }
  }
}

TEST(DoneMark, VouchesForOneContent) {
  const test::Scratch scratch;
  EXPECT_EQ(check_done(scratch.path()), Done::absent);
  write_atomically(scratch.path() / "run.h5", sealed(300));
  EXPECT_EQ(check_done(scratch.path()), Done::absent);
  write_atomically(scratch.path() / "DONE", done_text(sealed(300)));
  EXPECT_EQ(check_done(scratch.path()), Done::matches);
  write_atomically(scratch.path() / "run.h5", sealed(301));
  EXPECT_EQ(check_done(scratch.path()), Done::foreign);
  for (const char* text : {"", "\n", "e3b0"}) {
    write_atomically(scratch.path() / "DONE", std::string(text));
    EXPECT_EQ(check_done(scratch.path()), Done::foreign) << text;
  }
  std::filesystem::remove(scratch.path() / "run.h5");
  EXPECT_EQ(check_done(scratch.path()), Done::foreign);
}

TEST(Seal, IsAbsentFromShortForeignAndCutFiles) {
  EXPECT_EQ(check_seal({}), Seal::absent);
  EXPECT_EQ(check_seal(std::vector<std::byte>(500)), Seal::absent);
  std::vector<std::byte> cut = sealed(300);
  cut.pop_back();
  EXPECT_EQ(check_seal(cut), Seal::absent);
}

}  // namespace
}  // namespace adapt
