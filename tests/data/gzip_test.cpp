#include "data/gzip.hpp"

#include "fixtures.hpp"

namespace adapt {
namespace {

using test::Bytes;
using test::expect_bad_input;

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
    EXPECT_EQ(inflate_gzip(test::gzip(sample(size)), "x"), sample(size)) << size;
  }
  EXPECT_EQ(inflate_gzip(test::gzip(Bytes(5U << 20U)), "x"), Bytes(5U << 20U)) << "highly compressed";
}

TEST(Gzip, JoinsMembers) {
  Bytes both = test::gzip({1, 2});
  const Bytes second = test::gzip({3});
  both.insert(both.end(), second.begin(), second.end());
  EXPECT_EQ(inflate_gzip(both, "x"), (Bytes{1, 2, 3}));
}

TEST(Gzip, EveryTruncationIsNoticed) {
  const Bytes good = test::gzip(sample(300));
  for (std::size_t size = 0; size < good.size(); ++size) {
    expect_bad_input([&] { inflate_gzip(std::span(good).first(size), "the.gz"); },
                     {concat("the.gz: byte ", size, " (compressed): expected more")});
  }
}

TEST(Gzip, DamageAndSurplusAreNoticed) {
  const Bytes good = test::gzip(sample(300));
  for (const std::size_t offset : {std::size_t{0}, std::size_t{2}, good.size() - 8, good.size() - 1}) {
    Bytes bad = good;
    bad[offset] ^= 0x10;
    expect_bad_input([&] { inflate_gzip(bad, "the.gz"); },
                     {"the.gz: byte ", "expected valid gzip", "incorrect"});
  }
  Bytes surplus = good;
  surplus.insert(surplus.end(), {0, 0});
  expect_bad_input([&] { inflate_gzip(surplus, "the.gz"); }, {"the.gz: byte ", "incorrect header"});
}

}  // namespace
}  // namespace adapt
