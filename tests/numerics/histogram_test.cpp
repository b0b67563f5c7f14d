#include "numerics/histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "numerics/random.hpp"

namespace adapt {
namespace {

using Counts = std::vector<std::int64_t>;

// The obvious way: every value by itself.
Counts count_each(std::span<const float> values, const Bins& bins) {
  Counts counts(static_cast<std::size_t>(bins.count()));
  for (const float value : values) {
    ++counts[static_cast<std::size_t>(bins.index(value))];
  }
  return counts;
}

Counts count_each(std::span<const float> values, const Bins& bins, FixedFormat format) {
  Counts counts(static_cast<std::size_t>(bins.count()));
  for (const float value : values) {
    const double q =
        std::clamp(std::nearbyint(std::ldexp(static_cast<double>(value), format.fractional_length)),
                   static_cast<double>(format.lowest()), static_cast<double>(format.highest()));
    ++counts[static_cast<std::size_t>(bins.index(std::ldexp(q, -format.fractional_length)))];
  }
  return counts;
}

std::vector<float> normal_values(std::size_t count, double scale, double shift) {
  RandomSequence random({.seed = 5});
  std::vector<float> values(count);
  std::ranges::generate(values, [&] { return static_cast<float>(shift + scale * random.normal()); });
  return values;
}

TEST(Bins, EdgesBelongToTheBinAboveAndTheUpperEndToTheLast) {
  const Bins bins(-1, 1, 4);
  EXPECT_EQ(bins.index(-1), 0);
  EXPECT_EQ(bins.index(-0.5), 1);
  EXPECT_EQ(bins.index(std::nextafter(-0.5, -1.0)), 0);
  EXPECT_EQ(bins.index(0), 2);
  EXPECT_EQ(bins.index(0.99), 3);
  EXPECT_EQ(bins.index(1), 3);
}

TEST(Bins, OutsideFallsIntoTheEndBins) {
  const Bins bins(-1, 1, 4);
  EXPECT_EQ(bins.index(-1e30), 0);
  EXPECT_EQ(bins.index(1e30), 3);
  EXPECT_EQ(bins.index(std::numeric_limits<double>::infinity()), 3);
}

TEST(Bins, RangeOfNoWidthTellsBelowEqualAndAbove) {
  const Bins bins(0.3, 0.3, 5);
  EXPECT_EQ(bins.index(0.29), 0);
  EXPECT_EQ(bins.index(0.3), 2);
  EXPECT_EQ(bins.index(0.31), 4);
}

TEST(Bins, RefusesWhatIsNoRange) {
  EXPECT_THROW(Bins(1, 0, 4), Failure);
  EXPECT_THROW(Bins(0, 1, 0), Failure);
  EXPECT_THROW(Bins(0, std::numeric_limits<double>::infinity(), 4), Failure);
  EXPECT_THROW(Bins(std::numeric_limits<double>::quiet_NaN(), 1, 4), Failure);
}

TEST(SortedValues, SortsLikeTheLibrary) {
  for (const std::size_t count : {std::size_t{1}, std::size_t{1023}, std::size_t{1024}, std::size_t{5000}}) {
    std::vector<float> values = normal_values(count, 1, 0);
    const float extremes[] = {0.0F, 1e-45F, -1e-45F, 3e38F, -3e38F, 1e-38F};
    std::copy_n(extremes, std::min<std::size_t>(count, 6), values.begin());
    const SortedValues sorted(values);
    std::ranges::sort(values);
    EXPECT_TRUE(std::ranges::equal(sorted.values(), values)) << count;
    EXPECT_TRUE(sorted.finite());
  }
}

TEST(SortedValues, KnowsItsRange) {
  const std::vector<float> values = {0.5F, -2.0F, 1.0F};
  const SortedValues sorted(values);
  EXPECT_EQ(sorted.lowest(), -2.0F);
  EXPECT_EQ(sorted.highest(), 1.0F);
  EXPECT_EQ(sorted.magnitude(), 2.0F);
}

TEST(SortedValues, FindsNanAndInfOfEitherSign) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  for (const float bad : {nan, -nan, inf, -inf}) {
    for (const std::size_t count : {std::size_t{3}, std::size_t{3000}}) {
      std::vector<float> values = normal_values(count, 1, 0);
      values[1] = bad;
      EXPECT_FALSE(SortedValues(values).finite()) << bad;
    }
  }
}

TEST(SortedValues, NoValuesAreRefused) { EXPECT_THROW(SortedValues({}), Failure); }

TEST(SortedValues, HistogramByHand) {
  const std::vector<float> values = {0.9F, -1.0F, 0.1F, 1.0F, -0.6F, 0.2F};
  const SortedValues sorted(values);
  const Bins bins(-1, 1, 4);
  EXPECT_EQ(sorted.histogram(bins), (Counts{2, 0, 2, 2}));
  // Steps of 1/2: 1, -1, 0, 1, -1/2, 0 (0.2 · 2 rounds to 0).
  EXPECT_EQ(sorted.histogram(bins, {8, 1}), (Counts{1, 1, 2, 2}));
  // Two bits: -1, -1/2, 0, 1/2; 0.9 and 1 saturate at 1/2.
  EXPECT_EQ(sorted.histogram(bins, {2, 1}), (Counts{1, 1, 2, 2}));
  // Steps of 2, ties to even: all zero.
  EXPECT_EQ(sorted.histogram(bins, {8, -1}), (Counts{0, 0, 6, 0}));
}

TEST(SortedValues, QuantizedBeyondTheRangeFallsIntoTheEndBins) {
  const std::vector<float> values = {-0.9F, 0.9F};
  EXPECT_EQ(SortedValues(values).histogram(Bins(-0.9F, 0.9F, 3), {8, 0}), (Counts{1, 0, 1}));
}

TEST(SortedValues, SameCountsAsOneByOne) {
  for (const double shift : {0.0, 0.7}) {
    for (const double scale : {0.05, 3.0, 1e-12}) {
      const std::vector<float> values = normal_values(4000, scale, shift);
      const SortedValues sorted(values);
      for (const int count : {1, 2, 50, 151}) {
        const Bins bins(sorted.lowest(), sorted.highest(), count);
        EXPECT_EQ(sorted.histogram(bins), count_each(values, bins));
        for (const FixedFormat format :
             {FixedFormat{2, 0}, FixedFormat{8, 4}, FixedFormat{8, 9}, FixedFormat{12, 40},
              FixedFormat{16, -3}, FixedFormat{32, 20}, FixedFormat{32, 30}}) {
          EXPECT_EQ(sorted.histogram(bins, format), count_each(values, bins, format))
              << format << ", " << count << " bins, scale " << scale << ", shift " << shift;
        }
      }
    }
  }
}

}  // namespace
}  // namespace adapt
