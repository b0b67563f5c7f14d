#include <gtest/gtest.h>

#include "data/memory_dataset.hpp"
#include "exchange/algorithm_choice.hpp"
#include "nn/description.hpp"
#include "nn/network.hpp"
#include "nn/passes/lower.hpp"
#include "support/model_builder.hpp"
#include "support/small_state.hpp"
#include "support/world.hpp"
#include "train/statistics.hpp"

namespace adapt {
namespace {

using test::to_vector;

constexpr int kShards = 8;
constexpr int kImages = 4;  // of a shard
RunningStatistics two_channels(double momentum) {
  RunningStatistics statistics;
  statistics.name = "bn";
  statistics.momentum = momentum;
  statistics.running_mean = {1.0F, 0.0F};
  statistics.running_variance = {1.0F, 2.0F};
  statistics.shard_mean.resize(2);
  statistics.shard_variance.resize(2);
  return statistics;
}

TEST(Statistics, MoveByTheMeanOfAllShards) {
  ModelState state;
  state.statistics.push_back(two_channels(0.25));
  StatisticsExchange exchange(state, kShards, AlgorithmChoice({}, test::world()));
  exchange.begin(1);
  for (int shard = test::world().rank(); shard < kShards; shard += test::world().size()) {
    const auto value = static_cast<float>(shard);
    state.statistics[0].shard_mean = {value, -value};
    state.statistics[0].shard_variance = {2 * value, 4.0F};
    exchange.add(state, static_cast<std::uint32_t>(shard));
  }
  exchange.reduce(state, test::world());
  // Means over the shards 0..7: 3.5, -3.5, 7, 4; a quarter of the way there.
  EXPECT_EQ(to_vector(state.statistics[0].running_mean), (std::vector<float>{1.625F, -0.875F}));
  EXPECT_EQ(to_vector(state.statistics[0].running_variance), (std::vector<float>{2.5F, 2.5F}));
}

TEST(Statistics, AModelWithoutBatchNormNeedsNone) {
  ModelState state;
  StatisticsExchange exchange(state, kShards, AlgorithmChoice({}, test::world()));
  exchange.begin(1);
  exchange.add(state, 0);
  exchange.reduce(state, test::world());
  EXPECT_TRUE(state.statistics.empty());
}

/// A network with batch norm, run on images that depend on the shard only.
struct NormalizedModel {
  NormalizedModel()
      : graph(lower(ModelBuilder("normalized")
                        .convolution("conv", {.channels = 3, .kernel = 3})
                        .batch_norm("bn")
                        .relu()
                        .linear("fc", 2)
                        .build(),
                    {kImages, 1, 5, 5}, false)),
        state(initialize(graph, 1.0, 7)),
        network(graph, state, /*training=*/true) {}

  void forward(int shard) {
    std::vector<float> images(static_cast<std::size_t>(graph.image.elements()));
    RandomSequence random({.seed = 5, .shard = static_cast<std::uint32_t>(shard)});
    for (float& pixel : images) {
      pixel = static_cast<float>(random.normal() + shard);
    }
    Pass pass;
    network.forward(images, std::vector<std::int32_t>(kImages, 1), pass);
  }

  Graph graph;
  std::shared_ptr<ModelState> state;
  Network network;
};

TEST(Statistics, OfANetworkAreTheSameOnAnyNumberOfRanks) {
  NormalizedModel model;
  NormalizedModel alone;
  RunningStatistics& statistics = alone.state->statistics[0];
  StatisticsExchange exchange(*model.state, kShards, AlgorithmChoice({}, test::world()));
  for (std::uint32_t step = 1; step <= 2; ++step) {
    exchange.begin(step);
    for (int shard = test::world().rank(); shard < kShards; shard += test::world().size()) {
      model.forward(shard);
      exchange.add(*model.state, static_cast<std::uint32_t>(shard));
    }
    exchange.reduce(*model.state, test::world());
    std::vector<double> mean(3);
    std::vector<double> variance(3);
    for (int shard = 0; shard < kShards; ++shard) {
      alone.forward(shard);
      for (std::size_t c = 0; c < 3; ++c) {
        mean[c] += statistics.shard_mean[c] / double{kShards};
        variance[c] += statistics.shard_variance[c] / double{kShards};
      }
    }
    for (std::size_t c = 0; c < 3; ++c) {
      const auto share = static_cast<float>(statistics.momentum);
      statistics.running_mean[c] += share * (static_cast<float>(mean[c]) - statistics.running_mean[c]);
      statistics.running_variance[c] +=
          share * (static_cast<float>(variance[c]) - statistics.running_variance[c]);
      EXPECT_FLOAT_EQ(model.state->statistics[0].running_mean[c], statistics.running_mean[c]);
      EXPECT_FLOAT_EQ(model.state->statistics[0].running_variance[c], statistics.running_variance[c]);
    }
    // Bit for bit the same on every rank.
    std::vector<float> of_rank_0 = to_vector(model.state->statistics[0].running_variance);
    test::world().broadcast(std::as_writable_bytes(std::span(of_rank_0)));
    EXPECT_EQ(to_vector(model.state->statistics[0].running_variance), of_rank_0);
  }
}

}  // namespace
}  // namespace adapt
