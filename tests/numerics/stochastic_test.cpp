// What stochastic rounding promises as a random variable, and of its keys.

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "numerics/quantize.hpp"

namespace adapt {
namespace {

constexpr FixedFormat kFormat = {.word_length = 8, .fractional_length = 4};
const RandomKey kKey = {.seed = 42, .stream = Stream::test, .tensor = 1, .step = 2, .shard = 3};

std::vector<float> rounded(const std::vector<float>& src, const RandomKey& key) {
  std::vector<float> dst(src.size());
  quantize(src, dst, kFormat, Rounding::stochastic, key);
  return dst;
}

/// Mean of `draws` roundings of `value`, in steps of the grid.
double mean_in_steps(float value, std::size_t draws) {
  std::vector<std::int32_t> integers(draws);
  quantize_to_integers(std::vector<float>(draws, value), integers, kFormat, Rounding::stochastic, kKey);
  double sum = 0.0;
  for (const std::int32_t q : integers) {
    sum += q;
  }
  return sum / static_cast<double>(draws);
}

TEST(StochasticRounding, IsUnbiased) {
  constexpr std::size_t kDraws = 1U << 22U;
  for (const double fraction : {0.001, 0.1, 0.25, 0.5, 0.75, 0.9, 0.999}) {
    for (const int whole : {-100, -1, 0, 5}) {
      const double wanted = whole + fraction;
      const double deviation = std::sqrt(fraction * (1.0 - fraction) / static_cast<double>(kDraws));
      // 16-bit pieces resolve a fraction to half of 1/65536.
      EXPECT_NEAR(mean_in_steps(static_cast<float>(wanted / 16.0), kDraws), wanted, 4.0 * deviation + 0x1p-17)
          << wanted;
    }
  }
}

TEST(StochasticRounding, LeavesNumbersOfTheGridAlone) {
  std::vector<float> grid;
  for (int q = -128; q < 128; ++q) {
    grid.push_back(static_cast<float>(q) / 16.0F);
  }
  EXPECT_EQ(rounded(grid, kKey), grid);
}

TEST(StochasticRounding, RoundsUpAsOftenAsTheNeighbourIsNear) {
  constexpr std::size_t kDraws = 1U << 16U;
  const std::vector<float> dst = rounded(std::vector<float>(kDraws, 0.25F / 16.0F), kKey);
  std::size_t up = 0;
  for (const float value : dst) {
    ASSERT_TRUE(value == 0.0F || value == 1.0F / 16.0F) << value;
    up += value != 0.0F ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(up) / kDraws, 0.25, 0.007);  // four standard deviations
}

TEST(StochasticRounding, NeighbouringElementsAreIndependent) {
  constexpr std::size_t kDraws = 1U << 20U;
  const std::vector<float> dst = rounded(std::vector<float>(kDraws, 0.5F / 16.0F), kKey);
  for (const std::size_t distance : {1U, 2U, 8U, 64U, 1024U}) {
    std::size_t equal = 0;
    for (std::size_t i = distance; i < kDraws; ++i) {
      equal += dst[i] == dst[i - distance] ? 1 : 0;
    }
    EXPECT_NEAR(static_cast<double>(equal) / static_cast<double>(kDraws - distance), 0.5, 0.002) << distance;
  }
}

TEST(StochasticRounding, SameKeySameBitsAndEveryPartOfTheKeyCounts) {
  const std::vector<float> src(4096, 0.5F / 16.0F);
  const std::vector<float> first = rounded(src, kKey);
  EXPECT_EQ(rounded(src, kKey), first);
  std::vector<RandomKey> others(6, kKey);
  others[0].seed += 1;
  others[1].seed += std::uint64_t{1} << 32U;
  others[2].stream = Stream::weights;
  others[3].tensor += 1;
  others[4].step += 1;
  others[5].shard += 1;
  for (std::size_t other = 0; other < others.size(); ++other) {
    const std::vector<float> second = rounded(src, others[other]);
    std::size_t equal = 0;
    for (std::size_t i = 0; i < src.size(); ++i) {
      equal += first[i] == second[i] ? 1 : 0;
    }
    EXPECT_NEAR(static_cast<double>(equal), 2048.0, 130.0) << "key " << other;  // four deviations
  }
}

}  // namespace
}  // namespace adapt
