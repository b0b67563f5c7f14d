#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "control/tensor_scales.hpp"
#include "mpi/together.hpp"
#include "numerics/running_maxima.hpp"
#include "support/world.hpp"

namespace adapt {
namespace {

constexpr std::optional<FixedFormat> kAny = FixedFormat{8, 99};  // an FL that must not show

/// Two layers; the second has inputs and activation gradients only.
PrecisionPlan decided_plan() {
  PrecisionPlan plan;
  plan.version = 5;
  plan.per_tensor = true;
  plan.layers = {{.weights = kAny, .inputs = kAny, .outputs = kAny, .gradients = kAny},
                 {.inputs = FixedFormat{4, 0}, .activation_gradients = FixedFormat{16, 0}}};
  return plan;
}

const std::vector<Extremes> kWeights = {{-1.0F, 0.5F}, {0.0F, 0.25F}};

class Scales : public testing::Test {
 protected:
  /// One step in which the inputs of layer 0 reach `magnitude` on the last rank and half of it elsewhere.
  void step(const PrecisionPlan& decided, float magnitude) {
    std::vector<LayerMaxima>& maxima = scales.begin(decided);
    const bool last = ranks.rank() == ranks.size() - 1;
    raise(maxima[0].inputs, last ? magnitude : magnitude / 2);
    scales.reduce(++steps, ranks);
  }
  int inputs_length(const PrecisionPlan& decided) {
    return scales.plan(decided, kWeights).layers[0].inputs.value().fractional_length;
  }

  const mpi::Communicator& ranks = test::world();
  TensorScales scales{{"first", "second"}};
  std::int64_t steps = 0;
};

TEST_F(Scales, WeightsHaveOneAtOnceOthersAfterAStep) {
  const PrecisionPlan decided = decided_plan();
  PrecisionPlan plan = scales.plan(decided, kWeights);
  EXPECT_EQ(plan.version, 5);
  EXPECT_TRUE(plan.per_tensor);
  EXPECT_EQ(plan.layers[0], (LayerFormats{.weights = FixedFormat{8, 7}}));  // 128.5 / 1
  EXPECT_EQ(plan.layers[1], LayerFormats{});
  std::vector<LayerMaxima>& maxima = scales.begin(decided);
  raise(maxima[0].inputs, 3.0F);
  raise(maxima[0].outputs, 0.1F);
  raise(maxima[1].activation_gradients, ranks.rank() == 0 ? 1e-6F : 1e-9F);
  scales.reduce(1, ranks);
  plan = scales.plan(decided, kWeights);
  EXPECT_EQ(plan.layers[0].inputs, (FixedFormat{8, 5}));    // 127.5 / 3 = 42.5
  EXPECT_EQ(plan.layers[0].outputs, (FixedFormat{8, 10}));  // 1275
  EXPECT_FALSE(plan.layers[0].gradients.has_value()) << "all zero so far";
  EXPECT_FALSE(plan.layers[1].inputs.has_value()) << "all zero so far";
  EXPECT_EQ(plan.layers[1].activation_gradients, (FixedFormat{16, 34}));  // 32767.5e6 = 2^34.93
}

TEST_F(Scales, FollowGrowthAtOnceAndShrinkSlowly) {
  const PrecisionPlan decided = decided_plan();
  step(decided, 1.0F);
  EXPECT_EQ(inputs_length(decided), 6);
  step(decided, 4.0F);
  EXPECT_EQ(inputs_length(decided), 4);
  float running = 4.0F;
  for (int i = 0; i < 30; ++i) {
    step(decided, 0.5F);
    running = std::max(0.5F, kMaximumDecay * running);
    EXPECT_EQ(inputs_length(decided), fitting_fractional_length(8, running));
  }
  EXPECT_EQ(inputs_length(decided), 7) << "127.5 / (4 · 0.95^30) = 148.5";
  step(decided, 0.0F);
  EXPECT_EQ(inputs_length(decided), fitting_fractional_length(8, running)) << "all zero: as it was";
}

TEST_F(Scales, WordLengthsAreThePolicysAndCountAtOnce) {
  PrecisionPlan decided = decided_plan();
  step(decided, 1.0F);
  decided.layers[0].inputs = FixedFormat{12, 0};
  EXPECT_EQ(scales.plan(decided, kWeights).layers[0].inputs, (FixedFormat{12, 10}));
}

TEST_F(Scales, WhatIsSwitchedOffForgets) {
  PrecisionPlan decided = decided_plan();
  step(decided, 1.0F);
  PrecisionPlan without = decided;
  without.layers[0].inputs.reset();
  EXPECT_FALSE(scales.plan(without, kWeights).layers[0].inputs.has_value());
  EXPECT_FALSE(scales.begin(without)[0].inputs.has_value()) << "not asked for";
  scales.reduce(2, ranks);
  EXPECT_FALSE(scales.plan(decided, kWeights).layers[0].inputs.has_value()) << "on again, without history";
}

TEST_F(Scales, AllZeroWeightsKeepTheirScale) {
  const PrecisionPlan decided = decided_plan();
  const std::vector<Extremes> zero(2);
  EXPECT_FALSE(scales.plan(decided, zero).layers[0].weights.has_value()) << "never another";
  scales.plan(decided, kWeights);
  EXPECT_EQ(scales.plan(decided, zero).layers[0].weights, (FixedFormat{8, 7}));
}

TEST_F(Scales, NaNOnAnyRankStopsAllWithTheNameOfTheTensor) {
  for (const float bad : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    std::vector<LayerMaxima>& maxima = scales.begin(decided_plan());
    if (ranks.rank() == ranks.size() - 1) {
      raise(maxima[1].activation_gradients, bad);
    }
    try {
      scales.reduce(17, ranks);
      FAIL() << "accepted";
    } catch (const mpi::SharedError& error) {
      EXPECT_STREQ(error.what(),
                   "NaN or Inf among the activation gradients of layer 'second' at step 17; a smaller "
                   "training.learning_rate may help");
    }
  }
}

/// What a step counted of the inputs of layer 0: many small numbers, one of `largest`. Ranks other than 0
/// have counted something else, which is of no matter.
std::vector<PerTensor<LossCounter>> counted(FixedFormat format, float largest, int rank) {
  std::vector<float> values(1000, rank == 0 ? 1.0F / 1024 : 1.0F);
  values.push_back(largest);
  std::vector<PerTensor<LossCounter>> counters(2);
  counters[0].inputs.begin(format, Rounding::nearest);
  counters[0].inputs.add_before(0, values.size(), {.floats = values.data()});
  counters[0].inputs.add_after(0, values.size(), {.floats = values.data()});
  return counters;
}

TEST_F(Scales, OfLeastErrorClipWhatIsRare) {
  const PrecisionPlan decided = decided_plan();
  step(decided, 1.0F);
  ASSERT_EQ(inputs_length(decided), 6);
  const auto counters = counted({8, 6}, 0.125F, ranks.rank());
  const int least = counted({8, 6}, 0.125F, 0)[0].inputs.least_error_fractional_length();
  ASSERT_GT(least, 6) << "the maximum is past: nothing of 1 was left";
  scales.adjust(counters, ranks);
  EXPECT_EQ(inputs_length(decided), least);
  step(decided, 2.0F);
  EXPECT_EQ(inputs_length(decided), least - 1) << "it goes on with the maximum";
  scales.adjust(std::vector<PerTensor<LossCounter>>(2), ranks);
  EXPECT_EQ(inputs_length(decided), least - 1) << "nothing was counted";
  scales.adjust(counted({8, 5}, 2.0F, ranks.rank()), ranks);
  EXPECT_EQ(inputs_length(decided), 5) << "never coarser than the maximum's";
}

TEST_F(Scales, ARestoredOneGoesOnAlike) {
  const PrecisionPlan decided = decided_plan();
  step(decided, 3.0F);
  scales.adjust(counted({8, 5}, 0.125F, ranks.rank()), ranks);
  scales.plan(decided, kWeights);
  TensorScales other({"first", "second"});
  other.restore_state(scales.save_state());
  const std::vector<Extremes> zero(2);
  EXPECT_EQ(other.plan(decided, zero), scales.plan(decided, zero));
  other.begin(decided);
  other.reduce(2, ranks);
  step(decided, 0.0F);
  EXPECT_EQ(other.save_state(), scales.save_state());
  EXPECT_THROW(TensorScales({"one"}).restore_state(scales.save_state()), BadInput);
  EXPECT_THROW(TensorScales({"a", "b", "c"}).restore_state(scales.save_state()), BadInput);
}

}  // namespace
}  // namespace adapt
