#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "exchange/naive_encoding.hpp"

namespace adapt {
namespace {

using test::encoded_mean;
using test::ShardGradients;

/// The mean of one tensor over its shards.
std::vector<float> exact_mean(const ShardGradients& gradients) {
  const std::size_t size = gradients.front().size();
  const auto encoding = make_encoding(Encoding::exact, {{"w", size, 0}}, static_cast<int>(gradients.size()));
  encoding->begin({.step = 1});
  test::add_all(*encoding, 0, gradients);
  return encoded_mean(*encoding, 0, size);
}

TEST(Exact, HandComputedMeans) {
  EXPECT_EQ(exact_mean({{1.0F, -2.0F, 0.0F}, {0.5F, 3.0F, 0.0F}}), (std::vector<float>{0.75F, 0.5F, 0.0F}));
  EXPECT_EQ(exact_mean({{0.25F}}), std::vector<float>{0.25F});
}

TEST(Exact, KeepsWhatFloatSumsLose) {
  const float small = std::ldexp(1.0F, -20);
  ASSERT_EQ(1000.0F + small - 1000.0F, 0.0F);
  EXPECT_EQ(exact_mean({{1000.0F}, {small}, {-1000.0F}, {0.0F}}), std::vector<float>{std::ldexp(1.0F, -22)});
}

TEST(Exact, RoundsTiesToEven) {
  const float half_unit = std::ldexp(1.0F, -41);
  const float unit = std::ldexp(1.0F, -40);
  EXPECT_EQ(exact_mean({{half_unit, 3 * half_unit, -half_unit, -3 * half_unit}}),
            (std::vector<float>{0.0F, 2 * unit, 0.0F, -2 * unit}));
}

TEST(Exact, EqualsTheNaiveSum) {
  for (const int shards : {1, 3, 8}) {
    const ShardGradients gradients = test::random_gradients(1003, shards, 0, 0.01);
    EXPECT_EQ(exact_mean(gradients),
              test::naive_mean(test::naive_exact_sum(gradients), 40, gradients.size()));
  }
}

TEST(Exact, OrderOfShardsDoesNotMatter) {
  ShardGradients gradients = test::random_gradients(501, 8, 1, 3.0);
  const auto forward = exact_mean(gradients);
  std::reverse(gradients.begin(), gradients.end());
  EXPECT_EQ(exact_mean(gradients), forward);
}

TEST(Exact, LargestGradientsDoNotOverflow) {
  const float largest = std::nextafter(std::ldexp(1.0F, 19), 0.0F);  // below 2^62 / 8 shards / 2^40
  EXPECT_EQ(exact_mean(ShardGradients(8, {largest, -largest})), (std::vector<float>{largest, -largest}));
}

TEST(Exact, EachStepStartsEmptyAndTensorsStayApart) {
  const auto encoding = make_encoding(Encoding::exact, {{"a", 2, 0}, {"b", 0, 1}, {"c", 1, -1}}, 2);
  for (std::uint32_t step = 1; step <= 2; ++step) {
    encoding->begin({.step = step});
    encoding->add(0, 0, std::vector<float>{1, 2});
    encoding->add(1, 0, std::vector<float>{});
    encoding->add(2, 1, std::vector<float>{8});
    EXPECT_EQ(encoded_mean(*encoding, 0, 2), (std::vector<float>{0.5F, 1}));
    EXPECT_EQ(encoded_mean(*encoding, 2, 1), (std::vector<float>{4}));
  }
}

}  // namespace
}  // namespace adapt
