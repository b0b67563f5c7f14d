// Threads of a rank take shards as ranks do: the same bits with any number of them.

#include <gtest/gtest.h>

#include <string>

#include "base/error.hpp"
#include "bench/synthetic.hpp"
#include "mpi/together.hpp"
#include "support/world.hpp"
#include "train/engine.hpp"
#include "train/evaluation.hpp"
#include "train/model_workers.hpp"
#include "train/trained.hpp"

namespace adapt {
namespace {

using test::train;
using test::Trained;

constexpr int kSteps = 3;

TrainerOptions options_for(const std::string& model) {
  TrainerOptions options;
  options.model.name = model;
  options.training.batch = 32;
  options.training.shards = 8;
  options.training.learning_rate = 0.02;
  options.engine.name = Engine::float32;
  options.precision.name = Policy::float32;
  return options;
}

TrainerOptions integer_options(const std::string& model, int word_length) {
  TrainerOptions options = options_for(model);
  options.engine.name = Engine::integer;
  options.precision.name = Policy::fixed;
  options.precision.fixed.word_length = word_length;
  options.precision.formats = FormatScope::per_tensor;
  options.precision.backward = Backward::quantized;
  return options;
}

/// What one thread trains to, others do.
void expect_same_with_threads(TrainerOptions options) {
  const DataSplits data = synthetic_images(options.model.name, 64);
  options.training.threads = 1;
  const Trained one = train(options, data, kSteps);
  for (const int threads : {2, 3}) {
    options.training.threads = threads;
    const Trained several = train(options, data, kSteps);
    EXPECT_EQ(several.losses, one.losses) << threads;
    EXPECT_TRUE(several == one) << threads;
  }
}

TEST(Threads, TrainToTheSameBitsInFloat32) {
  expect_same_with_threads(options_for("lenet5"));
  expect_same_with_threads(options_for("resnet20"));
}

TEST(Threads, TrainToTheSameBitsInIntegers) {
  expect_same_with_threads(integer_options("lenet5", 8));
  expect_same_with_threads(integer_options("resnet20", 8));
  expect_same_with_threads(integer_options("lenet5", 12));
}

TEST(Threads, TrainToTheSameBitsWithAdapt) {
  TrainerOptions options = integer_options("lenet5", 8);
  options.precision.name = Policy::adapt;
  options.precision.formats = FormatScope::per_layer;
  options.precision.backward = Backward::float32;
  options.precision.adapt.lookback_lower = 2;
  options.precision.adapt.lookback_upper = 3;
  expect_same_with_threads(options);
}

TEST(Threads, TrainToTheSameBitsWithScalesOfLeastError) {
  TrainerOptions options = integer_options("resnet20", 8);
  options.precision.scales = ScaleChoice::least_error;
  const DataSplits data = synthetic_images(options.model.name, 64);
  const Trained finer = train(options, data, kSteps);
  expect_same_with_threads(options);
  options.precision.scales = ScaleChoice::maximum;
  EXPECT_NE(finer.plan, train(options, data, kSteps).plan) << "no scale was clipped";
}

TEST(Threads, TrainToTheSameBitsWatchingActivations) {
  TrainerOptions options = integer_options("lenet5", 8);
  options.precision.name = Policy::adapt;
  options.precision.adapt.lookback_lower = 2;
  options.precision.adapt.lookback_upper = 3;
  options.precision.adapt.epsilon = 1e-4;
  options.precision.adapt.growth = Growth::word;
  options.precision.adapt.watch = Watched::activations;
  expect_same_with_threads(options);
}

/// What rank 0 logs of a step.
std::vector<LayerRecord> logged(TrainerOptions options, int threads, int interval) {
  options.training.threads = threads;
  options.record.layer_interval = interval;
  TrainingStep step(options, synthetic_images(options.model.name, 64), test::world());
  step.run(0.1);
  return step.run(0.1).layers;
}

TEST(Threads, LogTheSameLosses) {
  const TrainerOptions options = integer_options("resnet20", 6);
  const std::vector<LayerRecord> one = logged(options, 1, 2);
  const std::vector<LayerRecord> several = logged(options, 3, 2);
  const std::vector<LayerRecord> unlogged = logged(options, 1, 3);
  ASSERT_EQ(several.size(), one.size());
  for (std::size_t layer = 0; layer < one.size(); ++layer) {
    EXPECT_EQ(several[layer].losses, one[layer].losses) << layer;
    EXPECT_GT(one[layer].losses.activation_gradients.zeroed, 0) << layer;
    EXPECT_GT(one[layer].losses.outputs.divergence, 0) << layer;
    EXPECT_EQ(one[layer].losses.weights, RoundingLoss{}) << "not an activation";
    EXPECT_EQ(unlogged[layer].losses, LayerLosses{}) << "not in a step that is not logged";
  }
}

TEST(Threads, TrainToTheSameBitsWithEveryEncoding) {
  for (const EncodingEntry& entry : kNames<Encoding>) {
    TrainerOptions options = options_for("lenet5");
    options.exchange.encoding = entry.value;
    for (const bool overlap : {false, true}) {
      SCOPED_TRACE(std::string(entry.name) + (overlap ? " with overlap" : ""));
      options.exchange.overlap = overlap;
      if (entry.value != Encoding::layer) {  // which is for formats
        expect_same_with_threads(options);
      }
    }
  }
}

TEST(Threads, EvaluateToTheSameNumbers) {
  TrainerOptions options = integer_options("resnet20", 8);
  options.training.epochs = 1;
  const DataSplits data = synthetic_images(options.model.name, 64);
  const auto loss = [&](int threads) {
    options.training.threads = threads;
    TrainingStep step(options, data, test::world());
    step.run(0.1);  // weights and running statistics of the copies are not the first ones
    const Graph graph = make_graph(options, data, 5);
    std::vector<std::unique_ptr<Network>> networks(static_cast<std::size_t>(step.workers().size()));
    step.workers().run([&](int worker) {
      networks[static_cast<std::size_t>(worker)] = std::make_unique<Network>(
          make_network(options, graph, step.workers().state(worker), /*training=*/false));
    });
    const MetricSum sum =
        evaluate(step.workers(), networks, *data.test, data.normalization, &step.plan(), test::world());
    EXPECT_EQ(sum.images(), data.test->size());
    return sum.mean_loss();
  };
  EXPECT_EQ(loss(2), loss(1));
  EXPECT_EQ(loss(3), loss(1));
}

TEST(Threads, TheFailureOfAnyShardEndsTheStep) {
  TrainerOptions options = options_for("lenet5");
  options.training.threads = 2;
  options.training.learning_rate = 1e30;
  EXPECT_THROW(static_cast<void>(train(options, synthetic_images("lenet5", 64), 8)), mpi::SharedError);
}

TEST(Threads, ShareShardsAndTheOthersAreOneDnns) {
  TrainingOptions options;
  options.shards = 8;
  options.threads = 6;
  EXPECT_EQ(ModelWorkers::count(options, 1), 6);
  EXPECT_EQ(ModelWorkers::count(options, 2), 4);
  EXPECT_EQ(ModelWorkers::count(options, 8), 1);
  options.accumulate = 2;
  EXPECT_EQ(ModelWorkers::count(options, 8), 2);
}

}  // namespace
}  // namespace adapt
