#include "train/optimizer.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "train/small_state.hpp"

namespace adapt {
namespace {

using test::parameter;
using test::to_vector;

void set_gradient(Optimizer& optimizer, std::size_t index, const std::vector<float>& values) {
  std::copy(values.begin(), values.end(), optimizer.gradient(index).begin());
}

std::vector<float> gradient(Optimizer& optimizer, std::size_t index) {
  const auto values = optimizer.gradient(index);
  return {values.begin(), values.end()};
}

ModelState one_weight(std::vector<float> master) {
  ModelState state;
  state.parameters.push_back(parameter("w", ParameterRole::weight, 0, std::move(master)));
  return state;
}

TEST(Optimizer, MomentumGathersTheGradients) {
  ModelState state = one_weight({1.0F});
  Optimizer optimizer(state, {.momentum = 0.5});
  // v = 2, W = 1 - 0.25·2; v = 0.5·2 + 4 = 5, W = 0.5 - 0.25·5; v = 2.5, rate 0.5: W = -0.75 - 1.25.
  const std::vector<float> gradients = {2, 4, 0};
  const std::vector<double> rates = {0.25, 0.25, 0.5};
  const std::vector<float> expected = {0.5F, -0.75F, -2.0F};
  for (std::size_t step = 0; step < 3; ++step) {
    set_gradient(optimizer, 0, {gradients[step]});
    optimizer.prepare(state);
    optimizer.update(state, rates[step]);
    EXPECT_EQ(state.parameters[0].master[0], expected[step]) << step;
  }
}

TEST(Optimizer, OnlyTheMasterMoves) {
  ModelState state = one_weight({1.0F});
  Optimizer optimizer(state, {});
  set_gradient(optimizer, 0, {1});
  optimizer.update(state, 1);
  EXPECT_EQ(state.parameters[0].working[0], 1.0F);
}

TEST(Optimizer, DecayAndL1ActOnTheGradient) {
  const ModelState state = one_weight({2.0F, -4.0F, 0.0F, -0.0F});
  Optimizer optimizer(state, {.momentum = 0, .weight_decay = 0.5, .l1 = 0.25});
  set_gradient(optimizer, 0, {1, 1, 1, 1});
  optimizer.prepare(state);
  EXPECT_EQ(gradient(optimizer, 0), (std::vector<float>{2.25F, -1.25F, 1.0F, 1.0F}));
}

TEST(Optimizer, UnitGradientsShareOneNormPerLayer) {
  ModelState state;
  state.parameters.push_back(parameter("a.weight", ParameterRole::weight, 0, {0, 0}));
  state.parameters.push_back(parameter("a.bias", ParameterRole::bias, 0, {0}));
  state.parameters.push_back(parameter("b.weight", ParameterRole::weight, 1, {0}));
  state.parameters.push_back(parameter("free", ParameterRole::scale, -1, {0}));
  Optimizer optimizer(state, {.unit_gradients = true});
  set_gradient(optimizer, 0, {2, 4});
  set_gradient(optimizer, 1, {4});  // norm of the layer: sqrt(4 + 16 + 16) = 6
  set_gradient(optimizer, 2, {0});  // norm 0 stays
  set_gradient(optimizer, 3, {7});  // no layer, no norm
  optimizer.prepare(state);
  EXPECT_EQ(gradient(optimizer, 0), (std::vector<float>{1.0F / 3, 2.0F / 3}));
  EXPECT_EQ(gradient(optimizer, 1), (std::vector<float>{2.0F / 3}));
  EXPECT_EQ(gradient(optimizer, 2), (std::vector<float>{0}));
  EXPECT_EQ(gradient(optimizer, 3), (std::vector<float>{7}));
}

TEST(Optimizer, NormIsTakenWithTheRegularization) {
  const ModelState state = one_weight({3.0F, 0.0F});
  Optimizer optimizer(state, {.weight_decay = 1, .unit_gradients = true});
  set_gradient(optimizer, 0, {0, 4});  // with decay: (3, 4), norm 5
  optimizer.prepare(state);
  EXPECT_EQ(gradient(optimizer, 0), (std::vector<float>{0.6F, 0.8F}));
}

TEST(Optimizer, TinyAndHugeGradientsBecomeUnits) {
  for (const float size : {1e-42F, 1e-30F, 1e30F}) {
    const ModelState state = one_weight({0.0F});
    Optimizer optimizer(state, {.unit_gradients = true});
    set_gradient(optimizer, 0, {size});
    optimizer.prepare(state);
    EXPECT_FLOAT_EQ(gradient(optimizer, 0)[0], 1.0F);
  }
}

TEST(RegularizationLoss, HandComputed) {
  ModelState state = one_weight({2.0F, -4.0F});
  state.parameters.push_back(parameter("bias", ParameterRole::bias, 0, {1.0F}));
  EXPECT_EQ(regularization_loss(state, 0, 0), 0);
  EXPECT_EQ(regularization_loss(state, 0.5, 0), 0.5 * 7);
  EXPECT_EQ(regularization_loss(state, 0, 0.5), 0.25 * 21);
  EXPECT_EQ(regularization_loss(state, 1, 2), 7 + 21);
}

}  // namespace
}  // namespace adapt
