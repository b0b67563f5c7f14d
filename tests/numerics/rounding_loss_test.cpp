#include "numerics/rounding_loss.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "numerics/quantize.hpp"

namespace adapt {
namespace {

constexpr FixedFormat kFormat = {4, 1};  // -4 to 3.5 in steps of 1/2

LossCounter counter_of(const std::vector<float>& values, FixedFormat format,
                       Rounding rounding = Rounding::nearest) {
  std::vector<float> rounded(values.size());
  quantize(values, rounded, format, rounding, {});
  LossCounter counter;
  counter.begin(format, rounding);
  counter.add_before(0, values.size(), {.floats = values.data()});
  counter.add_after(0, rounded.size(), {.floats = rounded.data()});
  return counter;
}

RoundingLoss loss_of(const std::vector<float>& values) { return counter_of(values, kFormat).loss(); }

TEST(RoundingLoss, NothingIsLostOnTheGrid) {
  EXPECT_EQ(loss_of({0, 0.5F, -4, 3.5F, 2}), RoundingLoss{});
  EXPECT_EQ(loss_of({0, 0}), RoundingLoss{});
  EXPECT_TRUE(LossCounter().is_empty());
  EXPECT_EQ(LossCounter().loss(), RoundingLoss{});
}

TEST(RoundingLoss, CountsWhatBecomesZeroAmongTheOthers) {
  // 0.25 is a tie, which goes to the even 0; 0.26 goes to 0.5.
  EXPECT_EQ(loss_of({0, 0, 0.25F, 0.26F, -0.1F, 2}).zeroed, 0.5);
}

TEST(RoundingLoss, CountsWhatLiesBeyondTheRange) {
  EXPECT_EQ(loss_of({3.5F, 3.6F, -4, -4.1F, 100, 0, 1, 1}).saturated, 3.0 / 8);
}

TEST(RoundingLoss, DivergenceHandComputed) {
  // Half of the numbers fall from the octave of 1/4 steps to zero: p = (0, 1/2, 1/2), q = (1/2, 0, 1/2).
  // Smoothed by s, the two bins that differ give (1/2 + s) L - s L with L = ln((1/2 + s) / s).
  constexpr double kBins = 66;
  const double expected =
      0.5 * std::log((0.5 + kLossSmoothing) / kLossSmoothing) / (1 + kBins * kLossSmoothing);
  EXPECT_NEAR(loss_of({0.125F, 2}).divergence, expected, 1e-12);
}

TEST(RoundingLoss, NumbersOfAnySizeHaveAnOctave) {
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> values = {1e-45F, 1e38F, -1e38F, inf, -inf};
  LossCounter counter;
  counter.begin({8, 126}, Rounding::nearest);
  counter.add_before(0, values.size(), {.floats = values.data()});
  counter.add_after(0, values.size(), {.floats = values.data()});
  EXPECT_EQ(counter.loss().zeroed, 0);
  EXPECT_EQ(counter.loss().saturated, 4.0 / 5);
}

/// A tensor of several blocks, in every form: 64 is the number that the grid of <6, -1> does not hold.
TEST(RoundingLoss, FormAndPartsOfTheNumbersAreOfNoMatter) {
  const FixedFormat format = {6, -1};
  constexpr std::size_t kSize = 3 * LossCounter::kSampleEvery * LossCounter::kSampleBlock + 100;
  std::vector<std::int32_t> sums(kSize);
  std::vector<std::int8_t> bytes(kSize);
  std::vector<float> floats(kSize);
  for (std::size_t i = 0; i < kSize; ++i) {
    const auto integer = static_cast<int>((i * i) % 256) - 128;
    sums[i] = integer;
    bytes[i] = static_cast<std::int8_t>(integer);
    floats[i] = static_cast<float>(integer) * 0.75F;
  }
  std::vector<std::int8_t> rounded(kSize);
  quantize_to_bytes(floats, rounded, format, Rounding::nearest, {});
  const LossCounter whole = counter_of(floats, format);
  EXPECT_GT(whole.loss().zeroed, 0);
  EXPECT_GT(whole.loss().saturated, 0);
  EXPECT_GT(whole.loss().divergence, 0);
  LossCounter parts;
  parts.begin(format, Rounding::nearest);
  for (std::size_t first = 0, part = 0; first < kSize; ++part) {
    const std::size_t count = std::min<std::size_t>(kSize - first, 8 + 1000 * (part % 5));
    if (part % 2 == 0) {
      parts.add_before(first, count, {.bytes = bytes.data() + first, .step = 0.75F});
    } else {
      parts.add_before(first, count, {.sums = sums.data() + first, .step = 0.75F});
    }
    parts.add_after(first, count, {.bytes = rounded.data() + first, .step = format.step()});
    first += count;
  }
  EXPECT_EQ(parts.loss(), whole.loss());
}

TEST(RoundingLoss, TheSampleIsOneBlockOfMany) {
  constexpr std::size_t kBlocks = LossCounter::kSampleEvery + 1;
  std::vector<float> values(kBlocks * LossCounter::kSampleBlock, 0.5F);
  const auto spoil = [&](std::size_t block) {
    std::vector<float> spoiled = values;
    spoiled[block * LossCounter::kSampleBlock + 17] = 100;
    return loss_of(spoiled).saturated;
  };
  const double one = 1.0 / (2 * LossCounter::kSampleBlock);
  for (std::size_t block = 0; block < kBlocks; ++block) {
    EXPECT_EQ(spoil(block), block % LossCounter::kSampleEvery == 0 ? one : 0) << block;
  }
}

/// Squared error of `values` on a grid, as it is.
double squared_error(const std::vector<float>& values, FixedFormat format, Rounding rounding) {
  std::vector<float> rounded(values.size());
  quantize(values, rounded, format, rounding, {.seed = 3});
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double error = double{values[i]} - double{rounded[i]};
    sum += error * error;
  }
  return sum;
}

/// Numbers evenly spread over their octaves, `weight(octave)` times 64 in each from 2^-20 to 2^0.
template <class Weight>
std::vector<float> spread(Weight weight) {
  std::vector<float> values;
  for (int octave = -20; octave <= 0; ++octave) {
    for (int copy = 0; copy < weight(octave); ++copy) {
      for (int i = 0; i < 64; ++i) {
        values.push_back(std::ldexp(1 + (static_cast<float>(i) + 0.37F) / 64, octave) *
                         (i % 2 == 0 ? 1.0F : -1.0F));
      }
    }
  }
  return values;
}

/// Against every fractional length, tried out. (All numbers lie in the first block of the sample, as many as
/// fit.)
TEST(RoundingLoss, FindsTheLeastError) {
  const auto tails = {+[](int octave) { return octave == 0 || octave == -6 ? 1 : 0; },
                      +[](int octave) { return octave == 0    ? 1
                                               : octave == -9 ? 14
                                                              : 0; },
                      +[](int octave) { return octave > -15 ? 1 : 0; },
                      +[](int octave) { return octave == -20 ? 3 : 0; }};
  for (const auto weight : tails) {
    std::vector<float> values = spread(weight);
    ASSERT_LE(values.size(), LossCounter::kSampleBlock);
    for (const Rounding rounding : {Rounding::nearest, Rounding::stochastic}) {
      for (const int word_length : {2, 4, 8}) {
        const int found = counter_of(values, {word_length, 3}, rounding).least_error_fractional_length();
        const double error = squared_error(values, {word_length, found}, rounding);
        for (int other = -3; other < 30; ++other) {
          // Stochastic rounding differs from its expectation.
          EXPECT_LE(error, 1.25 * squared_error(values, {word_length, other}, rounding))
              << values.size() << " numbers, " << word_length << " bits: " << found << " against " << other;
        }
      }
    }
  }
}

TEST(RoundingLoss, ALongTailIsClipped) {
  // One number of 1 beside a thousand of 2^-10 to 2^-9: a step of 1/128 would leave these nothing.
  std::vector<float> values(1000);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = std::ldexp(1 + static_cast<float>(i) / 1000, -10);
  }
  const int fitting = 7;
  EXPECT_GT(counter_of(values, {8, fitting}).least_error_fractional_length(), fitting);
  values.push_back(1000);
  EXPECT_LT(counter_of(values, {8, fitting}).least_error_fractional_length(), fitting);
}

TEST(RoundingLoss, NothingButZerosKeepTheirScale) {
  EXPECT_EQ(counter_of({0, 0}, {8, 5}).least_error_fractional_length(), 5);
}

}  // namespace
}  // namespace adapt
