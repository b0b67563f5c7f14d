// Each rank adds its own shards; the mean must equal the naive one over all shards, which knows no ranks.

#include <gtest/gtest.h>

#include <cmath>

#include "exchange/encoding.hpp"
#include "exchange/naive_encoding.hpp"

namespace adapt {
namespace {

constexpr int kShards = 8;
const mpi::Communicator kRanks;

/// Adds this rank's shards of every tensor and reduces.
void exchange_all(GradientEncoding& encoding, const std::vector<test::ShardGradients>& gradients) {
  for (int shard = kRanks.rank(); shard < kShards; shard += kRanks.size()) {
    for (std::size_t tensor = 0; tensor < gradients.size(); ++tensor) {
      encoding.add(tensor, static_cast<std::uint32_t>(shard),
                   gradients[tensor][static_cast<std::size_t>(shard)]);
    }
  }
  encoding.reduce(kRanks);
}

std::vector<ExchangeTensor> tensors() { return {{"a", 1000, 0}, {"b", 37, 1}, {"c", 5, -1}}; }

std::vector<test::ShardGradients> all_gradients(double deviation) {
  std::vector<test::ShardGradients> gradients;
  for (std::uint32_t t = 0; t < tensors().size(); ++t) {
    gradients.push_back(test::random_gradients(tensors()[t].size, kShards, t, deviation));
  }
  return gradients;
}

TEST(EncodingOnRanks, ExactEqualsTheNaiveSum) {
  const auto gradients = all_gradients(2.0);
  const auto encoding = make_exact_encoding(tensors(), kShards);
  for (std::uint32_t step = 1; step <= 2; ++step) {
    encoding->begin({.step = step});
    exchange_all(*encoding, gradients);
    for (std::size_t t = 0; t < gradients.size(); ++t) {
      EXPECT_EQ(test::encoded_mean(*encoding, t, tensors()[t].size),
                test::naive_mean(test::naive_exact_sum(gradients[t]), 40, kShards));
    }
  }
}

TEST(EncodingOnRanks, LayerEqualsTheNaiveSum) {
  const auto gradients = all_gradients(0.5);
  const auto encoding = make_layer_encoding(tensors(), kShards);
  const std::vector<std::vector<FixedFormat>> steps = {{{8, 6}, {32, 31}}, {{30, 30}, {29, 10}}};
  for (std::uint32_t s = 0; s < steps.size(); ++s) {
    PrecisionPlan plan;
    plan.layers.resize(2);
    plan.layers[0].gradients = steps[s][0];
    plan.layers[1].gradients = steps[s][1];
    const ExchangeStep step = {.seed = 9, .step = s + 1, .plan = &plan};
    encoding->begin(step);
    exchange_all(*encoding, gradients);
    for (std::uint32_t t = 0; t < 2; ++t) {
      EXPECT_EQ(test::encoded_mean(*encoding, t, tensors()[t].size),
                test::naive_mean(test::naive_layer_sum(gradients[t], steps[s][t], t, step),
                                 steps[s][t].fractional_length, kShards));
    }
    EXPECT_EQ(test::encoded_mean(*encoding, 2, 5),
              test::naive_mean(test::naive_exact_sum(gradients[2]), 40, kShards));
  }
}

TEST(EncodingOnRanks, LowestNumbersOfEveryShardFit) {
  const auto encoding = make_layer_encoding({{"wide", 1, 0}, {"narrow", 1, 1}}, kShards);
  PrecisionPlan plan;
  plan.layers.resize(2);
  plan.layers[0].gradients = FixedFormat{32, 0};
  plan.layers[1].gradients = FixedFormat{29, 0};
  encoding->begin({.plan = &plan});
  exchange_all(*encoding, std::vector<test::ShardGradients>(2, test::ShardGradients(kShards, {-1e30F})));
  EXPECT_EQ(test::encoded_mean(*encoding, 0, 1), std::vector<float>{-0x1p31F});
  EXPECT_EQ(test::encoded_mean(*encoding, 1, 1), std::vector<float>{-0x1p28F});
}

TEST(EncodingOnRanks, Float32IsCloseAndEqualOnAllRanks) {
  const auto gradients = all_gradients(1.0);
  const auto encoding = make_float32_encoding(tensors(), kShards);
  encoding->begin({.step = 1});
  exchange_all(*encoding, gradients);
  const auto mean = test::encoded_mean(*encoding, 0, 1000);
  const auto exact = test::naive_mean(test::naive_exact_sum(gradients[0]), 40, kShards);
  for (std::size_t i = 0; i < mean.size(); ++i) {
    EXPECT_NEAR(mean[i], exact[i], 1e-6);
  }
  std::vector<float> of_rank_0 = mean;
  kRanks.broadcast(std::as_writable_bytes(std::span(of_rank_0)));
  EXPECT_EQ(mean, of_rank_0);
}

}  // namespace
}  // namespace adapt
