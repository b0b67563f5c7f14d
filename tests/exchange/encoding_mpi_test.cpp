// Each rank adds its own shards; the mean must equal the naive one over all shards, which knows no ranks.

#include <gtest/gtest.h>

#include <cmath>

#include "exchange/encoding.hpp"
#include "exchange/naive_encoding.hpp"
#include "support/world.hpp"

namespace adapt {
namespace {

constexpr int kShards = 8;
/// Adds this rank's shards of every tensor, the last tensor first, and reduces. With `release` a tensor's
/// exchange may start as soon as its last shard is added.
void exchange_all(GradientEncoding& encoding, const std::vector<test::ShardGradients>& gradients,
                  bool release = false) {
  for (int shard = test::world().rank(); shard < kShards; shard += test::world().size()) {
    for (std::size_t tensor = gradients.size(); tensor-- > 0;) {
      encoding.add(tensor, static_cast<std::uint32_t>(shard),
                   gradients[tensor][static_cast<std::size_t>(shard)]);
      if (release && shard + test::world().size() >= kShards) {
        encoding.release(tensor, test::world());
        encoding.progress();
      }
    }
  }
  encoding.reduce(test::world());
}

/// "b" fills a bucket, so there are two.
std::vector<ExchangeTensor> tensors() { return {{"a", 1000, 0}, {"b", 40000, 1}, {"c", 5, -1}}; }

std::vector<test::ShardGradients> all_gradients(double deviation) {
  std::vector<test::ShardGradients> gradients;
  for (std::uint32_t t = 0; t < tensors().size(); ++t) {
    gradients.push_back(test::random_gradients(tensors()[t].size, kShards, t, deviation));
  }
  return gradients;
}

TEST(EncodingOnRanks, ExactEqualsTheNaiveSum) {
  const auto gradients = all_gradients(2.0);
  const auto encoding = make_encoding(Encoding::exact, tensors(), kShards);
  for (std::uint32_t step = 1; step <= 2; ++step) {
    encoding->begin({.step = step});
    exchange_all(*encoding, gradients, /*release=*/step == 2);
    for (std::size_t t = 0; t < gradients.size(); ++t) {
      EXPECT_EQ(test::encoded_mean(*encoding, t, tensors()[t].size),
                test::naive_mean(test::naive_exact_sum(gradients[t]), 40, kShards));
    }
  }
}

TEST(EncodingOnRanks, LayerEqualsTheNaiveSum) {
  const auto gradients = all_gradients(0.5);
  const auto encoding = make_encoding(Encoding::layer, tensors(), kShards);
  const std::vector<std::vector<FixedFormat>> steps = {{{8, 6}, {32, 31}}, {{30, 30}, {29, 10}}};
  for (std::uint32_t s = 0; s < steps.size(); ++s) {
    PrecisionPlan plan;
    plan.layers.resize(2);
    plan.layers[0].gradients = steps[s][0];
    plan.layers[1].gradients = steps[s][1];
    const ExchangeStep step = {.seed = 9, .step = s + 1, .plan = &plan};
    encoding->begin(step);
    exchange_all(*encoding, gradients, /*release=*/s == 1);
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
  const auto encoding = make_encoding(Encoding::layer, {{"wide", 1, 0}, {"narrow", 1, 1}}, kShards);
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
  const auto encoding = make_encoding(Encoding::float32, tensors(), kShards);
  encoding->begin({.step = 1});
  exchange_all(*encoding, gradients);
  const auto mean = test::encoded_mean(*encoding, 0, tensors()[0].size);
  const auto exact = test::naive_mean(test::naive_exact_sum(gradients[0]), 40, kShards);
  for (std::size_t i = 0; i < mean.size(); ++i) {
    EXPECT_NEAR(mean[i], exact[i], 1e-6);
  }
  std::vector<float> of_rank_0 = mean;
  test::world().broadcast(std::as_writable_bytes(std::span(of_rank_0)));
  EXPECT_EQ(mean, of_rank_0);
  EXPECT_EQ(encoding->bytes(),
            mpi::allreduce_bytes(test::world(), 4 * 1000) + mpi::allreduce_bytes(test::world(), 4 * 40005));
  encoding->begin({.step = 1});
  exchange_all(*encoding, gradients, /*release=*/true);
  EXPECT_EQ(mean, test::encoded_mean(*encoding, 0, tensors()[0].size));
}

TEST(EncodingOnRanks, WhatWasGivenUpDoesNotReachTheNext) {
  const auto gradients = all_gradients(1.0);
  for (int time = 0; time < 3; ++time) {
    const auto given_up = make_encoding(Encoding::exact, tensors(), kShards);
    given_up->begin({.step = 1});
    if (test::world().rank() != time % test::world().size()) {  // one has failed before
      for (std::size_t tensor = gradients.size(); tensor-- > 0;) {
        given_up->add(tensor, static_cast<std::uint32_t>(test::world().rank()), gradients[tensor][0]);
        given_up->release(tensor, test::world());
      }
    }
  }
  const auto encoding = make_encoding(Encoding::exact, tensors(), kShards);
  encoding->begin({.step = 1});
  exchange_all(*encoding, gradients, /*release=*/true);
  for (std::size_t t = 0; t < gradients.size(); ++t) {
    EXPECT_EQ(test::encoded_mean(*encoding, t, tensors()[t].size),
              test::naive_mean(test::naive_exact_sum(gradients[t]), 40, kShards));
  }
}

TEST(EncodingOnRanks, EachRankReleasesWhatItLikes) {
  for (const Encoding chosen : {Encoding::exact, Encoding::int8, Encoding::float32}) {
    const auto encoding = make_encoding(chosen, tensors(), kShards);
    const auto gradients = all_gradients(1.0);
    encoding->begin({.step = 1});
    for (std::size_t tensor = gradients.size(); tensor-- > 0;) {
      encoding->add(tensor, static_cast<std::uint32_t>(test::world().rank()), gradients[tensor][0]);
      if (test::world().rank() % 2 == 0 || tensor == 2) {
        encoding->release(tensor, test::world());
      }
    }
    test::world().barrier();
    encoding->reduce(test::world());
    EXPECT_TRUE(std::isfinite(test::encoded_mean(*encoding, 2, 5)[0]));
  }
}

}  // namespace
}  // namespace adapt
