#include "numerics/rounding_loss.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "numerics/quantize.hpp"

namespace adapt {
namespace {

constexpr FixedFormat kFormat = {4, 1};  // -4 to 3.5 in steps of 1/2

/// Of `values` rounded to nearest.
RoundingLoss loss_of(const std::vector<float>& values, FixedFormat format) {
  std::vector<float> rounded(values.size());
  quantize(values, rounded, format, Rounding::nearest, {});
  LossCounter counter;
  counter.add_before({.floats = values.data()}, values.size(), format);
  counter.add_after(rounded.data(), rounded.size(), format);
  return counter.loss();
}

TEST(RoundingLoss, NothingIsLostOnTheGrid) {
  EXPECT_EQ(loss_of({0, 0.5F, -4, 3.5F, 2}, kFormat), RoundingLoss{});
  EXPECT_EQ(loss_of({0, 0}, kFormat), RoundingLoss{});
  EXPECT_TRUE(LossCounter().is_empty());
  EXPECT_EQ(LossCounter().loss(), RoundingLoss{});
}

TEST(RoundingLoss, CountsWhatBecomesZeroAmongTheOthers) {
  // 0.25 is a tie, which goes to the even 0; 0.26 goes to 0.5.
  EXPECT_EQ(loss_of({0, 0, 0.25F, 0.26F, -0.1F, 2}, kFormat).zeroed, 0.5);
}

TEST(RoundingLoss, CountsWhatLiesBeyondTheRange) {
  EXPECT_EQ(loss_of({3.5F, 3.6F, -4, -4.1F, 100, 0, 1, 1}, kFormat).saturated, 3.0 / 8);
}

TEST(RoundingLoss, DivergenceHandComputed) {
  // Half of the numbers fall from the octave of 1/4 steps to zero: p = (0, 1/2, 1/2), q = (1/2, 0, 1/2).
  // Smoothed by s, the two bins that differ give (1/2 + s) L - s L with L = ln((1/2 + s) / s).
  constexpr double kBins = 66;
  const double expected =
      0.5 * std::log((0.5 + kLossSmoothing) / kLossSmoothing) / (1 + kBins * kLossSmoothing);
  EXPECT_NEAR(loss_of({0.125F, 2}, kFormat).divergence, expected, 1e-12);
}

TEST(RoundingLoss, NumbersOfAnySizeHaveAnOctave) {
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> values = {1e-45F, 1e38F, -1e38F, inf, -inf};
  LossCounter counter;
  counter.add_before({.floats = values.data()}, values.size(), {8, 126});
  counter.add_after(values.data(), values.size(), {8, -96});
  EXPECT_EQ(counter.loss().zeroed, 0);
  EXPECT_EQ(counter.loss().saturated, 4.0 / 5);
}

/// However they stand in memory, and in whatever parts.
TEST(RoundingLoss, FormOfTheNumbersIsOfNoMatter) {
  const FixedFormat format = {6, -1};
  std::vector<std::int32_t> sums;
  std::vector<std::int8_t> bytes;
  std::vector<float> floats;
  for (int i = -128; i < 128; ++i) {
    sums.push_back(i);
    bytes.push_back(static_cast<std::int8_t>(i));
    floats.push_back(static_cast<float>(i) * 0.25F);
  }
  std::vector<std::int8_t> rounded(floats.size());
  quantize_to_bytes(floats, rounded, format, Rounding::nearest, {});
  std::vector<float> grid(floats.size());
  quantize(floats, grid, format, Rounding::nearest, {});
  LossCounter whole;
  whole.add_before({.floats = floats.data()}, floats.size(), format);
  whole.add_after(grid.data(), grid.size(), format);
  EXPECT_GT(whole.loss().zeroed, 0);
  EXPECT_GT(whole.loss().divergence, 0);
  LossCounter parts;
  parts.add_before({.bytes = bytes.data() + 100, .step = 0.25F}, 156, format);
  parts.add_before({.sums = sums.data(), .step = 0.25F}, 100, format);
  parts.add_after(rounded.data(), rounded.size());
  EXPECT_EQ(parts.loss(), whole.loss());
}

}  // namespace
}  // namespace adapt
