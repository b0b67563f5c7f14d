#include "data/gzip.hpp"

#include "fixtures.hpp"

namespace adapt {
namespace {

using test::Bytes;
using test::expect_bad_input;

constexpr std::size_t kAll = std::size_t{1} << 30U;

Bytes inflate(std::span<const std::uint8_t> compressed, std::size_t most = kAll) {
  Bytes bytes;
  GzipReader(compressed, "the.gz").read(most, bytes);
  return bytes;
}

Bytes sample(std::size_t size) {
  Bytes bytes(size);
  std::uint32_t state = 1;
  for (std::uint8_t& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<std::uint8_t>(state >> 24U);
  }
  return bytes;
}

TEST(Gzip, InflatesAnySize) {
  for (const std::size_t size : {0U, 1U, 1000U, (1U << 20U) - 1U, 1U << 20U, 3U << 20U}) {
    EXPECT_EQ(inflate(test::gzip(sample(size))), sample(size)) << size;
  }
  EXPECT_EQ(inflate(test::gzip(Bytes(5U << 20U))), Bytes(5U << 20U)) << "highly compressed";
}

TEST(Gzip, JoinsMembers) {
  Bytes both = test::gzip({1, 2});
  const Bytes second = test::gzip({3});
  both.insert(both.end(), second.begin(), second.end());
  EXPECT_EQ(inflate(both), (Bytes{1, 2, 3}));
}

TEST(Gzip, NoMoreThanWanted) {
  const Bytes zeros = test::gzip(Bytes(64U << 20U));
  EXPECT_LT(zeros.size(), 100000U) << "a thousandth";
  const Bytes few = inflate(zeros, 10);
  EXPECT_EQ(few, Bytes(10));
  EXPECT_LT(few.capacity(), 2U << 20U);
}

TEST(Gzip, PieceByPiece) {
  Bytes both = test::gzip(sample(300));
  const Bytes second = test::gzip({3});
  both.insert(both.end(), second.begin(), second.end());
  Bytes expected = sample(300);
  expected.push_back(3);
  GzipReader reader(both, "the.gz");
  Bytes bytes;
  for (const std::size_t size : {0U, 1U, 16U, 300U, 301U}) {
    reader.read(size - bytes.size(), bytes);
    EXPECT_EQ(bytes, Bytes(expected.begin(), expected.begin() + static_cast<std::ptrdiff_t>(size)));
  }
  reader.read(100, bytes);
  EXPECT_EQ(bytes, expected) << "nothing is left";
}

TEST(Gzip, EveryTruncationIsNoticed) {
  const Bytes good = test::gzip(sample(300));
  for (std::size_t size = 0; size < good.size(); ++size) {
    expect_bad_input([&] { inflate(std::span(good).first(size)); },
                     {concat("the.gz: byte ", size, " (compressed): expected more")});
  }
}

TEST(Gzip, DamageAndSurplusAreNoticed) {
  const Bytes good = test::gzip(sample(300));
  for (const std::size_t offset : {std::size_t{0}, std::size_t{2}, good.size() - 8, good.size() - 1}) {
    Bytes bad = good;
    bad[offset] ^= 0x10;
    expect_bad_input([&] { inflate(bad); }, {"the.gz: byte ", "expected valid gzip data, found "});
  }
  Bytes surplus = good;
  surplus.insert(surplus.end(), {0, 0});
  expect_bad_input([&] { inflate(surplus); }, {"the.gz: byte ", "incorrect header"});
}

}  // namespace
}  // namespace adapt
