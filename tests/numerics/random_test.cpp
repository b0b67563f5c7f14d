#include "numerics/random.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

namespace adapt {
namespace {

using Block = std::array<std::uint32_t, 4>;

/// A key whose counter words 1..3 are given.
RandomKey key_of(std::uint64_t seed, std::uint32_t word1, std::uint32_t step, std::uint32_t shard) {
  return {.seed = seed,
          .stream = static_cast<Stream>(word1 >> 24U),
          .tensor = word1 & 0xFFFFFFU,
          .step = step,
          .shard = shard};
}

// Known answers for philox4x32 with 7 rounds, from the file kat_vectors of the Random123 distribution.
TEST(RandomBlock, KnownAnswers) {
  EXPECT_EQ(random_block(key_of(0, 0, 0, 0), 0), (Block{0x5F6FB709U, 0x0D893F64U, 0x4F121F81U, 0x4F730A48U}));
  EXPECT_EQ(random_block(key_of(~std::uint64_t{0}, ~0U, ~0U, ~0U), ~0U),
            (Block{0x5207DDC2U, 0x45165E59U, 0x4D8EE751U, 0x8C52F662U}));
  EXPECT_EQ(random_block(key_of(0x299F31D0A4093822ULL, 0x85A308D3U, 0x13198A2EU, 0x03707344U), 0x243F6A88U),
            (Block{0x4DFCCABAU, 0x190A87F0U, 0xC47362BAU, 0xB6B5242AU}));
}

TEST(RandomSequence, DrawsTheWordsOfTheBlocksInOrder) {
  const RandomKey key = {.seed = 9, .stream = Stream::shuffle, .tensor = 1, .step = 2, .shard = 3};
  RandomSequence sequence(key);
  for (std::uint32_t block = 0; block < 3; ++block) {
    for (const std::uint32_t word : random_block(key, block)) {
      EXPECT_EQ(sequence.bits(), word);
    }
  }
}

TEST(RandomSequence, UniformStaysInRangeWithTheRightMoments) {
  constexpr int kDraws = 1 << 20;
  RandomSequence sequence({.seed = 1});
  double sum = 0.0;
  double squares = 0.0;
  for (int draw = 0; draw < kDraws; ++draw) {
    const double value = sequence.uniform();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    ASSERT_EQ(std::ldexp(value, 53), std::floor(std::ldexp(value, 53)));
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / kDraws, 0.5, 4.0 * std::sqrt(1.0 / 12.0 / kDraws));
  EXPECT_NEAR(squares / kDraws, 1.0 / 3.0, 4.0 * std::sqrt(4.0 / 45.0 / kDraws));
}

TEST(RandomSequence, BelowReachesEveryNumberEquallyOften) {
  for (const std::uint32_t bound : {1U, 2U, 7U, 10U, 256U}) {
    RandomSequence sequence({.seed = bound});
    const std::uint32_t draws = bound * 4096;
    std::vector<int> counts(bound);
    for (std::uint32_t draw = 0; draw < draws; ++draw) {
      ++counts.at(sequence.below(bound));
    }
    double chi_squared = 0.0;
    for (const int count : counts) {
      chi_squared += (count - 4096.0) * (count - 4096.0) / 4096.0;
    }
    const double freedom = bound - 1.0;
    EXPECT_LE(chi_squared, freedom + 4.0 * std::sqrt(2.0 * freedom)) << bound;
  }
}

TEST(RandomSequence, BelowRejectsTheBiasedStretch) {
  // Of 2^32 words, 3 · 2^30 would give each third of the numbers below 3 · 2^30 an extra word without
  // rejection: numbers divisible by 3 twice as often as the others.
  constexpr std::uint32_t kBound = 3U << 30U;
  constexpr int kDraws = 1 << 18;
  RandomSequence sequence({.seed = 6});
  int divisible = 0;
  for (int draw = 0; draw < kDraws; ++draw) {
    divisible += sequence.below(kBound) % 3 == 0 ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(divisible) / kDraws, 1.0 / 3.0, 0.004);  // four standard deviations
}

TEST(RandomSequence, NormalHasTheMomentsOfTheStandardNormal) {
  constexpr int kDraws = 1 << 20;
  RandomSequence sequence({.seed = 2});
  std::array<double, 4> moments = {};
  for (int draw = 0; draw < kDraws; ++draw) {
    const double value = sequence.normal();
    ASSERT_TRUE(std::isfinite(value));
    double power = 1.0;
    for (double& moment : moments) {
      moment += (power *= value) / kDraws;
    }
  }
  const double deviation = 1.0 / std::sqrt(double{kDraws});
  EXPECT_NEAR(moments[0], 0.0, 4.0 * deviation);
  EXPECT_NEAR(moments[1], 1.0, 4.0 * std::sqrt(2.0) * deviation);
  EXPECT_NEAR(moments[2], 0.0, 4.0 * std::sqrt(15.0) * deviation);
  EXPECT_NEAR(moments[3], 3.0, 4.0 * std::sqrt(96.0) * deviation);
}

}  // namespace
}  // namespace adapt
