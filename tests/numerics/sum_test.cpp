#include "numerics/sum.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "base/error.hpp"
#include "numerics/instruction_sets.hpp"
#include "numerics/random.hpp"
#include "numerics/reference.hpp"

namespace adapt {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

std::vector<float> random_values(std::size_t count) {
  RandomSequence random({.seed = count + 1});
  std::vector<float> values(count);
  for (float& value : values) {
    value = static_cast<float>(random.normal() * std::exp2(random.below(40) - 20.0));
    if (random.below(5) == 0) {
      value = random.below(2) == 0 ? 0.0F : -0.0F;
    }
  }
  return values;
}

using Lanes = std::array<double, PiecewiseSum::kLanes>;

/// The sum by a kernel that adds to lanes, in two pieces where there are enough elements.
double in_pieces(void (*kernel)(const float*, std::size_t, double*), const std::vector<float>& values) {
  const std::size_t first = values.size() / 3 / PiecewiseSum::kLanes * PiecewiseSum::kLanes;
  Lanes lanes = {};
  kernel(values.data(), first, lanes.data());
  kernel(values.data() + first, values.size() - first, lanes.data());
  return reference::sum_in_order(lanes);
}

class Sum : public test::EveryInstructionSet {};

TEST_P(Sum, SameBitsAsTheReferenceAtEveryLength) {
  for (std::size_t count = 0; count < 200; ++count) {
    const std::vector<float> values = random_values(count);
    std::vector<double> squares;
    std::vector<double> magnitudes;
    std::int64_t nonzero = 0;
    float largest = 0.0F;
    float lowest = 0.0F;
    float highest = 0.0F;
    for (const float value : values) {
      lowest = std::min(lowest, value);
      highest = std::max(highest, value);
      squares.push_back(static_cast<double>(value) * value);
      magnitudes.push_back(std::abs(static_cast<double>(value)));
      nonzero += value != 0.0F ? 1 : 0;
      largest = std::max(largest, std::abs(value));
    }
    EXPECT_EQ(in_pieces(kernels().sum_squares, values), reference::sum_in_order(squares)) << count;
    EXPECT_EQ(in_pieces(kernels().sum_abs, values), reference::sum_in_order(magnitudes)) << count;
    EXPECT_EQ(kernels().count_nonzero(values.data(), count), nonzero) << count;
    EXPECT_EQ(kernels().maximum_magnitude(values.data(), count), largest) << count;
    float found_lowest = kNaN;
    float found_highest = kNaN;
    kernels().extremes(values.data(), count, &found_lowest, &found_highest);
    EXPECT_EQ(found_lowest, lowest) << count;
    EXPECT_EQ(found_highest, highest) << count;
  }
}

TEST_P(Sum, ExtremesOfOneElementAnywhere) {
  for (std::size_t count = 1; count < 70; ++count) {
    for (std::size_t place = 0; place < count; ++place) {
      for (const float value : {-3.0F, 3.0F, -0.0F, std::numeric_limits<float>::infinity(),
                                -std::numeric_limits<float>::denorm_min()}) {
        std::vector<float> values(count, 0.0F);
        values[place] = value;
        float lowest = kNaN;
        float highest = kNaN;
        kernels().extremes(values.data(), count, &lowest, &highest);
        EXPECT_EQ(lowest, std::min(value, 0.0F)) << count << " " << place;
        EXPECT_EQ(highest, std::max(value, 0.0F)) << count << " " << place;
      }
      for (const float value : {kNaN, -kNaN}) {
        std::vector<float> values(count, 1.0F);
        values[place] = value;
        float lowest = 0.0F;
        float highest = 0.0F;
        kernels().extremes(values.data(), count, &lowest, &highest);
        EXPECT_TRUE(std::isnan(lowest) || std::isnan(highest)) << count << " " << place;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, Sum, testing::ValuesIn(vector::kInstructionSets), test::instruction_set_name);

TEST(SumReference, TakesTheDocumentedOrder) {
  // Lane 0 collects 2^53 and then 1, which is lost there; the 1 of lane 8 is lost when the lanes meet. In the
  // order 1 + 1 + 2^53 both would count.
  std::vector<double> terms(17, 0.0);
  terms[0] = 0x1p53;
  terms[16] = 1.0;
  terms[8] = 1.0;
  EXPECT_EQ(reference::sum_in_order(terms), 0x1p53);
  terms[8] = 0.0;
  terms[4] = 1.0;
  terms[12] = 1.0;  // these two meet first
  EXPECT_EQ(reference::sum_in_order(terms), 0x1p53 + 2.0);
}

TEST(SumCalls, HandComputed) {
  const std::vector<float> values = {3.0F, -4.0F, 0.0F, -0.0F, 0.5F};
  EXPECT_EQ(sum_squares(values), 25.25);
  EXPECT_EQ(sum_abs(values), 7.5);
  EXPECT_EQ(count_nonzero(values), 3);
  EXPECT_EQ(maximum_magnitude(values), 4.0F);
}

TEST(SumCalls, EmptyAndDenormal) {
  EXPECT_EQ(sum_squares({}), 0.0);
  EXPECT_EQ(sum_abs({}), 0.0);
  EXPECT_EQ(count_nonzero({}), 0);
  EXPECT_EQ(maximum_magnitude({}), 0.0F);
  const std::vector<float> tiny = {-std::numeric_limits<float>::denorm_min()};
  EXPECT_EQ(sum_squares(tiny), 0x1p-298);
  EXPECT_EQ(count_nonzero(tiny), 1);
  EXPECT_EQ(maximum_magnitude(tiny), 0x1p-149F);
}

TEST(SumCalls, OnlyTheLastPieceMayBeOdd) {
  const std::vector<float> values(20, 2.0F);
  PiecewiseSum sum;
  sum.add_squares(std::span(values).first(16));
  sum.add_squares(values);
  EXPECT_EQ(sum.value(), 36 * 4);
  EXPECT_THROW(sum.add_magnitudes(values), Failure);
}

TEST(SumCalls, WhatIsNotFiniteShows) {
  std::vector<float> values(40, 1.0F);
  values[33] = -std::numeric_limits<float>::infinity();
  EXPECT_EQ(maximum_magnitude(values), std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isinf(sum_squares(values)));
  values[7] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(maximum_magnitude(values)));
  EXPECT_TRUE(std::isnan(sum_abs(values)));
  EXPECT_EQ(count_nonzero(values), 40);
}

}  // namespace
}  // namespace adapt
