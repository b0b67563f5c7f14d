// Products of float32 numbers in their order, on every instruction set, against loops of fused operations.

#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "numerics/instruction_sets.hpp"
#include "numerics/random.hpp"

namespace adapt {
namespace {

using vector::kProductTile;

/// Numbers with all kinds of exponents, so that products are rounded, lost, or all that counts.
std::vector<float> random_floats(std::size_t count, std::uint64_t seed) {
  RandomSequence random({.seed = seed});
  std::vector<float> numbers(count);
  for (float& number : numbers) {
    const int exponent = static_cast<int>(random.below(40)) - (random.below(10) == 0 ? 140 : 20);
    number = std::ldexp(static_cast<float>(random.normal()), exponent);
  }
  return numbers;
}

void expect_float_products_equal_loops(const vector::FloatProducts& products, std::size_t rows,
                                       std::size_t panels, std::size_t row_step) {
  const std::vector<vector::TermRun> runs = {{3, 0, 1}, {4, 9, 7}, {40, 2, 0}, {41, 30, 120}};
  constexpr std::size_t kPanelStep = 160 * kProductTile;
  const auto left = random_floats(rows * row_step + 200, rows);
  const auto right = random_floats(panels * kPanelStep, panels);
  const std::size_t c_row = panels * kProductTile + 3;
  std::vector<float> found(rows * c_row, 7);
  products.multiply({left.data(), rows, row_step, right.data(), kPanelStep}, runs.data(), runs.size(), panels,
                    found.data(), c_row);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < c_row; ++j) {
      float sum = j < panels * kProductTile ? 0 : 7;  // what stands between rows is left alone
      for (const vector::TermRun& run : runs) {
        for (std::size_t k = 0; k < run.depth && j < panels * kProductTile; ++k) {
          sum = std::fma(
              left[i * row_step + run.left + k],
              right[j / kProductTile * kPanelStep + (run.right + k) * kProductTile + j % kProductTile], sum);
        }
      }
      ASSERT_EQ(found[i * c_row + j], sum) << i << " " << j;
    }
  }
}

class FloatProducts : public testing::TestWithParam<std::string_view> {
 protected:
  void SetUp() override {
    level_ = vector::find_level(GetParam());
    if (!level_) {
      GTEST_SKIP() << "this processor cannot run " << GetParam();
    }
  }
  std::optional<vector::Level> level_;
};

TEST_P(FloatProducts, EqualFusedLoops) {
  for (const std::size_t rows : {1, 2, 7, 16, 31, 40}) {
    for (const std::size_t panels : {1, 2, 3}) {
      for (const std::size_t row_step : {16, 32, 5}) {
        expect_float_products_equal_loops(*level_->floats, rows, panels, row_step);
      }
    }
  }
}

TEST_P(FloatProducts, OfPixelsEqualFusedLoops) {
  for (const auto& [rows, panels] : {std::pair{16U, 1U}, {8U, 1U}, {24U, 1U}, {40U, 2U}}) {
    constexpr std::size_t kRuns = 3;
    constexpr std::size_t kLength = 5;
    const auto left = random_floats(1000, panels);
    const auto right = random_floats(1000, panels + 2);
    std::vector<vector::PixelRun> runs;
    for (std::size_t run = 0; run < kRuns; ++run) {
      runs.push_back({left.data() + 301 * run, right.data() + 257 * run});
    }
    const vector::PixelRuns pixels = {runs.data(), kRuns, kLength, 50, 40};
    const std::size_t row = 16 * panels + 1;
    const auto before = random_floats(rows * row, 7);
    std::vector<float> found = before;
    level_->floats->add_outer(pixels, 6, 3, rows, panels, found.data(), row);
    std::vector<float> expected = before;
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t j = 0; j < 16 * panels; ++j) {
        for (std::size_t k = 0; k < kRuns * kLength; ++k) {
          float& sum = expected[i * row + j];
          sum = std::fma(left[301 * (k / kLength) + 50 * (k % kLength) + 6 + i],
                         right[257 * (k / kLength) + 40 * (k % kLength) + 3 + j], sum);
        }
      }
    }
    EXPECT_EQ(found, expected);
  }
}

TEST_P(FloatProducts, OfWhatIsNotFinite) {
  std::vector<float> left(kProductTile, 1.0F);
  std::vector<float> right(kProductTile, 1.0F);
  std::vector<float> sums(kProductTile * kProductTile);
  left[1] = INFINITY;
  left[2] = NAN;
  left[3] = 0x1p127F;
  right[1] = 4.0F;
  const vector::TermRun run = {0, 0, 1};
  level_->floats->multiply({left.data(), kProductTile, 1, right.data(), 0}, &run, 1, 1, sums.data(),
                           kProductTile);
  EXPECT_EQ(sums[0], 1.0F);
  EXPECT_EQ(sums[kProductTile], INFINITY);
  EXPECT_TRUE(std::isnan(sums[2 * kProductTile]));
  EXPECT_EQ(sums[3 * kProductTile], 0x1p127F);
  EXPECT_EQ(sums[3 * kProductTile + 1], INFINITY);
}

INSTANTIATE_TEST_SUITE_P(Levels, FloatProducts, testing::ValuesIn(vector::kLevels),
                         test::instruction_set_name);

}  // namespace
}  // namespace adapt
