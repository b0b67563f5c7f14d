#include "record/npz.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace adapt {
namespace {

std::vector<NpzArray> sample() {
  const std::vector<std::int32_t> bytes = {-128, 127, 0};
  const std::vector<std::int32_t> words = {-129, 5};
  const std::vector<std::int32_t> large = {40000, -7, 0, 1};
  const std::vector<float> numbers = {1.5F};
  return {npz_integers("a", {3}, bytes), npz_integers("b", {1, 2}, words), npz_integers("c", {2, 2}, large),
          npz_array<float>("d", "<f4", {}, numbers), npz_text("e", "text")};
}

std::string refusal(const std::vector<std::byte>& bytes) {
  try {
    read_npz(bytes, "f.npz");
  } catch (const BadInput& error) {
    return error.what();
  }
  return "";
}

TEST(Npz, IntegersTakeTheSmallestType) {
  const auto arrays = sample();
  EXPECT_EQ(arrays[0].type, "|i1");
  EXPECT_EQ(arrays[1].type, "<i2");
  EXPECT_EQ(arrays[2].type, "<i4");
}

TEST(Npz, WhatIsWrittenIsRead) {
  const auto arrays = sample();
  const auto read = read_npz(npz_bytes(arrays), "f.npz");
  ASSERT_EQ(read.size(), arrays.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    EXPECT_EQ(read[i].name, arrays[i].name);
    EXPECT_EQ(read[i].type, arrays[i].type);
    EXPECT_EQ(read[i].dims, arrays[i].dims);
    EXPECT_EQ(read[i].bytes, arrays[i].bytes);
  }
}

TEST(Npz, EveryTruncationAndEveryChangedByteIsRefusedOrHarmless) {
  const auto bytes = npz_bytes(sample());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::string said = refusal({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)});
    EXPECT_EQ(said.substr(0, 7), "f.npz: ") << size;
  }
  for (std::size_t place = 0; place < bytes.size(); ++place) {
    auto changed = bytes;
    changed[place] ^= std::byte{0xff};
    const std::string said = refusal(changed);
    EXPECT_TRUE(said.empty() || said.find("expected an .npz file") != std::string::npos) << said;
  }
}

TEST(Npz, TwoArraysOfOneNameAreRefused) {
  const std::vector<NpzArray> arrays = {sample()[0], sample()[1], sample()[0]};
  EXPECT_EQ(refusal(npz_bytes(arrays)),
            "f.npz: holds two arrays named 'a'; expected an .npz file as numpy.savez writes it");
}

TEST(Npz, WhatIsNoArchiveIsRefused) {
  EXPECT_EQ(refusal({}), "f.npz: is no ZIP file; expected an .npz file as numpy.savez writes it");
  EXPECT_EQ(refusal(std::vector<std::byte>(100)),
            "f.npz: is no ZIP file; expected an .npz file as numpy.savez writes it");
}

}  // namespace
}  // namespace adapt
