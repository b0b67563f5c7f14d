#include "control/working_weights.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "numerics/reference.hpp"
#include "support/small_state.hpp"

namespace adapt {
namespace {

using test::parameter;
using test::to_vector;

PrecisionPlan weight_plan(const std::vector<std::optional<FixedFormat>>& formats) {
  PrecisionPlan plan;
  for (const auto& format : formats) {
    plan.layers.push_back({.weights = format, .inputs = {}, .outputs = {}, .gradients = {}});
  }
  return plan;
}

ModelState two_layers() {
  ModelState state;
  state.parameters.push_back(parameter("a.weight", ParameterRole::weight, 0, {0.5F, 0.0F, -0.25F, 9.0F}));
  state.parameters.push_back(parameter("a.bias", ParameterRole::bias, 0, {0.0F, 100.0F}));
  state.parameters.push_back(parameter("b.weight", ParameterRole::weight, 1, {0.0F, 0.3F}));
  state.parameters.push_back(parameter("free", ParameterRole::scale, -1, {0.1F}));
  return state;
}

TEST(WorkingWeights, FollowThePlan) {
  ModelState state = two_layers();
  const auto versions = state.parameters[0].version;
  // <6,2>: units of 1/4, from -8 to 7.75. The second layer has no format.
  const auto densities = make_working_weights(state, weight_plan({FixedFormat{6, 2}, std::nullopt}), 1, 3);
  EXPECT_EQ(to_vector(state.parameters[0].working), (std::vector<float>{0.5F, 0.0F, -0.25F, 7.75F}));
  EXPECT_EQ(to_vector(state.parameters[1].working), (std::vector<float>{0.0F, 7.75F}));
  EXPECT_EQ(to_vector(state.parameters[2].working), (std::vector<float>{0.0F, 0.3F}));
  EXPECT_EQ(to_vector(state.parameters[3].working), (std::vector<float>{0.1F}));
  EXPECT_EQ(to_vector(state.parameters[0].master), (std::vector<float>{0.5F, 0.0F, -0.25F, 9.0F}));
  EXPECT_EQ(densities, (std::vector<double>{0.75, 0.5}));  // of the weights; the bias does not count
  EXPECT_GT(state.parameters[0].version, versions);
}

TEST(WorkingWeights, RoundWithTheNumbersOfTensorAndStep) {
  ModelState state;
  state.parameters.push_back(parameter("a.bias", ParameterRole::bias, 0, std::vector<float>(50, 0.4F)));
  state.parameters.push_back(parameter("a.weight", ParameterRole::weight, 0, std::vector<float>(50, 0.4F)));
  const FixedFormat format = {8, 0};
  make_working_weights(state, weight_plan({format}), 21, 6);
  for (std::uint32_t tensor = 0; tensor < 2; ++tensor) {
    const RandomKey key = {.seed = 21, .stream = Stream::weights, .tensor = tensor, .step = 6};
    const auto expected =
        reference::quantize(state.parameters[tensor].master, format, Rounding::stochastic, key);
    for (std::size_t i = 0; i < 50; ++i) {
      EXPECT_EQ(state.parameters[tensor].working[i], static_cast<float>(expected.integers[i]));
    }
  }
  const auto first = to_vector(state.parameters[1].working);
  EXPECT_NE(first, to_vector(state.parameters[0].working));
  make_working_weights(state, weight_plan({format}), 21, 7);
  EXPECT_NE(to_vector(state.parameters[1].working), first);
  make_working_weights(state, weight_plan({format}), 21, 6);
  EXPECT_EQ(to_vector(state.parameters[1].working), first);
}

TEST(WorkingWeights, NanAndInfinityNameTheParameterAndTheStep) {
  for (const float value : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    for (const auto& format : {std::optional<FixedFormat>({8, 4}), std::optional<FixedFormat>()}) {
      ModelState state = two_layers();
      state.parameters[2].master[1] = value;
      try {
        make_working_weights(state, weight_plan({FixedFormat{8, 4}, format}), 1, 12);
        FAIL() << "expected Failure for " << value;
      } catch (const Failure& error) {
        const std::string message = error.what();
        EXPECT_NE(message.find("b.weight"), std::string::npos) << message;
        EXPECT_NE(message.find("step 12"), std::string::npos) << message;
      }
    }
  }
}

}  // namespace
}  // namespace adapt
