// The integer engine means what the emulated one does: the same bits, wherever float32 sums are exact.

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "base/error.hpp"
#include "bench/synthetic.hpp"
#include "mpi/communicator.hpp"
#include "nn/kernels/onednn.hpp"
#include "support/world.hpp"
#include "train/engine.hpp"
#include "train/step.hpp"
#include "train/trained.hpp"

namespace adapt {
namespace {

using test::train;
using test::Trained;

TrainerOptions options_for(const std::string& model) {
  TrainerOptions options;
  options.model.name = model;
  options.training.batch = 16;
  options.training.shards = 4;
  options.training.learning_rate = 0.02;
  options.training.normalize = Normalize::no;
  options.precision.name = Policy::fixed;
  options.precision.fixed.word_length = 8;
  options.precision.formats = FormatScope::per_tensor;
  options.precision.backward = Backward::quantized;
  return options;
}

class IntegerEngine : public testing::TestWithParam<const char*> {};

/// Both engines, `steps` steps; returns how many layers ran in integers at the end.
int expect_same(TrainerOptions options, int steps) {
  const DataSplits data = synthetic_images(options.model.name, 64);
  options.engine.name = Engine::emulated;
  const Trained emulated = train(options, data, steps);
  options.engine.name = Engine::integer;
  const Trained integer = train(options, data, steps);
  EXPECT_EQ(integer.losses, emulated.losses);
  EXPECT_EQ(integer.plan, emulated.plan);
  EXPECT_EQ(integer.masters, emulated.masters);
  EXPECT_EQ(integer.statistics, emulated.statistics);
  EXPECT_EQ(emulated.integer_layers, 0);
  return integer.integer_layers;
}

TEST_P(IntegerEngine, TrainsToTheSameBitsAsTheEmulatedOne) {
  const TrainerOptions options = options_for(GetParam());
  const std::size_t layers = options.model.name == "resnet20" ? 22 : options.model.name == "alexnet" ? 6 : 5;
  EXPECT_EQ(expect_same(options, 3), static_cast<int>(layers));
}

TEST_P(IntegerEngine, TakesOutputsThatNoBatchNormReadsAsTheyAre) {
  TrainerOptions options = options_for(GetParam());
  options.precision.quantize.unnormalized = false;
  expect_same(options, 3);
}

TEST(IntegerLeNet, RoundsActivationsToNearestAlike) {
  TrainerOptions options = options_for("lenet5");
  options.engine.rounding = Rounding::nearest;
  EXPECT_EQ(expect_same(options, 3), 5);
}

TEST(IntegerLeNet, OneFormatPerLayerRunsInIntegersFromTheFirstStep) {
  TrainerOptions options = options_for("lenet5");
  options.precision.formats = FormatScope::per_layer;
  options.precision.fixed.fractional_length = 5;
  EXPECT_EQ(expect_same(options, 3), 5);
}

TEST(IntegerLeNet, ForwardRunsInIntegersBesideFloat32Gradients) {
  TrainerOptions options = options_for("lenet5");
  options.precision.backward = Backward::float32;
  EXPECT_EQ(expect_same(options, 3), 5);
}

/// Multiply-adds in integers, as each step counts them.
std::vector<double> integer_shares(TrainerOptions options, int steps) {
  options.engine.name = Engine::integer;
  TrainingStep step(options, synthetic_images(options.model.name, 64), test::world());
  std::vector<double> shares;
  for (int i = 0; i < steps; ++i) {
    shares.push_back(step.run(options.training.learning_rate).record.integer_share);
  }
  return shares;
}

TEST(IntegerLeNet, CountsWhatRunsInIntegers) {
  TrainerOptions options = options_for("lenet5");
  EXPECT_EQ(integer_shares(options, 2), (std::vector{1.0, 1.0}));
  options.precision.fixed.word_length = 16;
  EXPECT_EQ(integer_shares(options, 2), (std::vector{1.0, 1.0}));
  options.precision.fixed.word_length = 24;
  EXPECT_EQ(integer_shares(options, 1), std::vector{0.0});
  options.precision.fixed.word_length = 12;
  options.precision.backward = Backward::float32;
  const double forward = integer_shares(options, 1).front();  // the first layer has no data gradient
  EXPECT_GT(forward, 1.0 / 3);
  EXPECT_LT(forward, 0.4);
}

TEST(IntegerLeNet, FollowsThePlanWhereLayersLeaveAndEnterEightBits) {
  TrainerOptions options = options_for("lenet5");
  options.precision.name = Policy::adapt;
  options.precision.adapt.lookback_lower = 2;
  options.precision.adapt.lookback_upper = 3;
  options.precision.adapt.buffer_bits = 0;
  options.precision.adapt.tiers = {8, 32};
  const DataSplits data = synthetic_images("lenet5", 64);
  TrainingStep step(
      [&] {
        TrainerOptions chosen = options;
        chosen.engine.name = Engine::integer;
        return chosen;
      }(),
      data, test::world());
  bool some = false;
  bool others = false;
  for (int i = 0; i < 6; ++i) {
    step.run(options.training.learning_rate);
    some = some || step.integer_layers() > 0;
    others = others || step.integer_layers() < 5;
  }
  EXPECT_TRUE(some && others);
  expect_same(options, 6);
}

INSTANTIATE_TEST_SUITE_P(Models, IntegerEngine, testing::Values("lenet5", "alexnet", "resnet20"));

}  // namespace
}  // namespace adapt
