#include "numerics/scale.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "base/error.hpp"
#include "numerics/plan.hpp"
#include "numerics/quantize.hpp"

namespace adapt {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

TEST(FittingFractionalLength, ByHand) {
  // WL 8: U = 127.5, L = -128.5.
  EXPECT_EQ(fitting_fractional_length(8, {-1.0F, 1.0F}), 6);  // 127.5 < 128 <= 128.5
  EXPECT_EQ(fitting_fractional_length(8, {-1.0F, 0.0F}), 7);
  EXPECT_EQ(fitting_fractional_length(8, {-1.0F, 0.5F}), 7);
  EXPECT_EQ(fitting_fractional_length(8, {0.0F, 1.0F}), 6);
  EXPECT_EQ(fitting_fractional_length(8, {-2.0F, 1.0F}), 6);  // 64.25
  EXPECT_EQ(fitting_fractional_length(8, {-1000.0F, 1.0F}), -3);
  EXPECT_EQ(fitting_fractional_length(8, 1.0F), 6);
  EXPECT_EQ(fitting_fractional_length(2, 1.0F), 0);  // U = 1.5
}

TEST(FittingFractionalLength, TheBoundItselfFitsAndTheNextNumberDoesNot) {
  const float bound = 127.5F / 128.0F;
  EXPECT_EQ(fitting_fractional_length(8, bound), 7);
  EXPECT_EQ(fitting_fractional_length(8, std::nextafter(bound, 2.0F)), 6);
  // The nearest that a float32 comes to U = 2^31 - 1/2: 2^31 - 128 below it, 2^31 above.
  EXPECT_EQ(fitting_fractional_length(32, 0x1.FFFFFEp30F), 0);
  EXPECT_EQ(fitting_fractional_length(32, 0x1p31F), -1);
}

TEST(FittingFractionalLength, IsTheLargestThatFits) {
  RandomSequence random({.seed = 3});
  for (int i = 0; i < 2000; ++i) {
    const int word_length = 2 + static_cast<int>(random.below(31));
    const float size = std::ldexp(1.0F, static_cast<int>(random.below(60)) - 30);
    const Extremes range = {-size * static_cast<float>(random.uniform()),
                            size * static_cast<float>(random.uniform())};
    const int found = fitting_fractional_length(word_length, range);
    const auto fits = [&](int fl) {
      const double half = std::ldexp(1.0, word_length - 1);
      return std::ldexp(range.highest, fl) <= half - 0.5 && std::ldexp(range.lowest, fl) >= -half - 0.5;
    };
    EXPECT_TRUE(fits(found)) << word_length << " " << range.lowest << " " << range.highest;
    EXPECT_FALSE(fits(found + 1)) << word_length << " " << range.lowest << " " << range.highest;
  }
}

TEST(FittingFractionalLength, StaysWithinTheLimits) {
  EXPECT_EQ(fitting_fractional_length(32, std::numeric_limits<float>::denorm_min()), kMaxFractionalLength);
  EXPECT_EQ(fitting_fractional_length(2, std::numeric_limits<float>::max()), kMinFractionalLength);
  EXPECT_EQ(fitting_fractional_length(8, {-kInfinity, 1.0F}), kMinFractionalLength);
  EXPECT_THROW(static_cast<void>(fitting_fractional_length(8, Extremes{})), Failure);
  EXPECT_THROW(static_cast<void>(fitting_fractional_length(8, kNaN)), Failure);
}

TEST(Extremes, CountZeroAndPassOverNaN) {
  EXPECT_EQ(extremes({}), Extremes{});
  EXPECT_EQ(extremes(std::vector<float>{2.0F, 3.0F}), (Extremes{0.0F, 3.0F}));
  EXPECT_EQ(extremes(std::vector<float>{-2.0F, -3.0F}), (Extremes{-3.0F, 0.0F}));
  EXPECT_EQ(extremes(std::vector<float>{1.0F, kNaN, -0.5F}), (Extremes{-0.5F, 1.0F}));
}

TEST(Extremes, OfLongTensorsStandAnywhere) {
  for (const std::size_t size : {15U, 16U, 17U, 50U}) {
    for (std::size_t place = 0; place < size; ++place) {
      std::vector<float> values(size, 0.5F);
      values[place] = -2.0F;
      values[size - 1 - place] += 3.0F;
      const float highest = place == size - 1 - place ? 1.0F : 3.5F;
      const float lowest = place == size - 1 - place ? 0.0F : -2.0F;
      EXPECT_EQ(extremes(values), (Extremes{lowest, highest})) << size << " " << place;
    }
  }
}

TEST(Raise, KeepsTheLargestAndNaNAboveAll) {
  std::optional<float> maximum;
  raise(maximum, 1.0F);
  EXPECT_FALSE(maximum.has_value()) << "not asked for";
  maximum = 0.0F;
  raise(maximum, 2.0F);
  raise(maximum, 1.0F);
  EXPECT_EQ(maximum, 2.0F);
  raise(maximum, kNaN);
  raise(maximum, kInfinity);
  EXPECT_TRUE(std::isnan(*maximum));
}

}  // namespace
}  // namespace adapt
