#include <gtest/gtest.h>

#include <cmath>
#include <optional>

#include "exchange/integer_encoding.hpp"
#include "exchange/naive_encoding.hpp"

namespace adapt {
namespace {

using test::encoded_mean;
using test::ShardGradients;

PrecisionPlan gradient_plan(const std::vector<std::optional<FixedFormat>>& formats) {
  PrecisionPlan plan;
  for (const auto& format : formats) {
    plan.layers.push_back({.weights = {}, .inputs = {}, .outputs = {}, .gradients = format});
  }
  return plan;
}

/// The mean of one tensor, whose layer has `format`, over its shards.
std::vector<float> layer_mean(const ShardGradients& gradients, FixedFormat format) {
  const std::size_t size = gradients.front().size();
  const PrecisionPlan plan = gradient_plan({format});
  const auto encoding = make_encoding(Encoding::layer, {{"w", size, 0}}, static_cast<int>(gradients.size()));
  encoding->begin({.seed = 5, .step = 7, .plan = &plan});
  test::add_all(*encoding, 0, gradients);
  return encoded_mean(*encoding, 0, size);
}

TEST(Layer, NumbersOnTheGridStayAsTheyAre) {
  // <8,4>: units of 1/16, from -8 to 127/16.
  const std::vector<float> result =
      layer_mean({{0.5F, -0.0625F, 7.9375F}, {0.25F, 0.0625F, 7.9375F}}, {8, 4});
  EXPECT_EQ(result, (std::vector<float>{0.375F, 0.0F, 7.9375F}));
}

TEST(Layer, ClampsToTheFormat) {
  const std::vector<float> result = layer_mean({{100.0F, -100.0F}, {100.0F, -100.0F}}, {8, 4});
  EXPECT_EQ(result, (std::vector<float>{127.0F / 16, -8.0F}));
}

TEST(Layer, EqualsTheNaiveSum) {
  for (const FixedFormat format : {FixedFormat{8, 4}, {8, 12}, {17, 20}, {30, 24}, {32, 31}, {5, -3}}) {
    for (const int shards : {1, 3, 8}) {
      const ShardGradients gradients = test::random_gradients(1003, shards, 2, 0.3);
      const ExchangeStep step = {.seed = 5, .step = 7};
      EXPECT_EQ(layer_mean(gradients, format),
                test::naive_mean(test::naive_layer_sum(gradients, format, 0, step), format.fractional_length,
                                 gradients.size()))
          << format << " " << shards;
    }
  }
}

TEST(Layer, RoundingIsStochasticAndWithoutBias) {
  // Half a unit in every element: half of them round up.
  const std::vector<float> result = layer_mean({std::vector<float>(4096, 0.5F)}, {8, 0});
  double sum = 0;
  for (const float value : result) {
    EXPECT_TRUE(value == 0.0F || value == 1.0F);
    sum += value;
  }
  EXPECT_NEAR(sum, 2048, 6 * std::sqrt(4096 * 0.25));
}

TEST(Layer, ExtremesOf32BitsOverEightShards) {
  const std::vector<float> result = layer_mean(ShardGradients(8, {-1e30F, 1e30F}), {32, 4});
  EXPECT_EQ(result, (std::vector<float>{-134217728.0F, 134217728.0F}));  // 2^31 / 16; 2^31 - 1 rounds up
}

TEST(Layer, WidestFormatThatFits32Bits) {
  // Eight shards need three more bits: 29 + 3 = 32. All at the lowest reach -2^31 and no further.
  EXPECT_EQ(sum_bits(29, 8), 32);
  EXPECT_EQ(layer_mean(ShardGradients(8, {-1e30F, 1e30F}), {29, 0}),
            (std::vector<float>{-std::ldexp(1.0F, 28), std::ldexp(1.0F, 28)}));
  EXPECT_EQ(layer_mean(ShardGradients(8, {-1e30F}), {30, 0}), std::vector<float>{-std::ldexp(1.0F, 29)});
  EXPECT_EQ(layer_mean(ShardGradients(9, {-1e30F}), {29, 0}), std::vector<float>{-std::ldexp(1.0F, 28)});
  EXPECT_EQ(layer_mean(ShardGradients(1, {-1e30F}), {32, 0}), std::vector<float>{-std::ldexp(1.0F, 31)});
}

TEST(Layer, BitsOfASumHoldItsExtremes) {
  for (const int word_length : {2, 8, 29, 32}) {
    for (const int shards : {1, 2, 3, 5, 8, 9, 4096, 4194304}) {
      const int bits = sum_bits(word_length, shards);
      ASSERT_LE(bits, 64);
      const std::int64_t lowest = -(std::int64_t{1} << (word_length - 1)) * shards;
      EXPECT_GE(lowest, -(std::int64_t{1} << (bits - 1))) << word_length << " " << shards;
      EXPECT_LT(2 * lowest, -(std::int64_t{1} << (bits - 1))) << "a bit too many";
    }
  }
}

TEST(Layer, FormatsMayChangeBetweenSteps) {
  const std::vector<ExchangeTensor> tensors = {
      {"a", 100, 0}, {"b", 50, 1}, {"bias", 10, 1}, {"free", 20, -1}};
  const auto encoding = make_encoding(Encoding::layer, tensors, 4);
  const std::vector<PrecisionPlan> plans = {gradient_plan({FixedFormat{8, 6}, FixedFormat{31, 20}}),
                                            gradient_plan({std::nullopt, FixedFormat{9, 3}}),
                                            gradient_plan({FixedFormat{32, 30}, FixedFormat{30, 1}})};
  for (std::uint32_t s = 0; s < plans.size(); ++s) {
    const ExchangeStep step = {.seed = 11, .step = s + 1, .plan = &plans[s]};
    encoding->begin(step);
    for (std::uint32_t t = 0; t < tensors.size(); ++t) {
      const ShardGradients gradients = test::random_gradients(tensors[t].size, 4, t, 0.5);
      test::add_all(*encoding, t, gradients);
      const int layer = tensors[t].layer;
      const auto format =
          layer < 0 ? std::nullopt : plans[s].layers[static_cast<std::size_t>(layer)].gradients;
      const auto sum =
          format ? test::naive_layer_sum(gradients, *format, t, step) : test::naive_exact_sum(gradients);
      EXPECT_EQ(encoded_mean(*encoding, t, tensors[t].size),
                test::naive_mean(sum, format ? format->fractional_length : 40, 4))
          << "step " << s << ", tensor " << tensors[t].name;
    }
  }
}

}  // namespace
}  // namespace adapt
