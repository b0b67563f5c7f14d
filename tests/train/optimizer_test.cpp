#include "train/optimizer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "support/small_state.hpp"

namespace adapt {
namespace {

using test::parameter;
using test::to_vector;

/// prepare() with these mean gradients, by parameter.
void prepare(Optimizer& optimizer, const ModelState& state, const std::vector<std::vector<float>>& means) {
  optimizer.prepare(state, [&](std::size_t index, std::size_t first, std::span<float> gradient) {
    std::copy_n(means[index].begin() + static_cast<std::ptrdiff_t>(first), gradient.size(), gradient.begin());
  });
}

std::vector<float> gradient(const Optimizer& optimizer, std::size_t index) {
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
    prepare(optimizer, state, {{gradients[step]}});
    optimizer.update(state, rates[step]);
    EXPECT_EQ(state.parameters[0].master[0], expected[step]) << step;
  }
}

TEST(Optimizer, OnlyTheMasterMoves) {
  ModelState state = one_weight({1.0F});
  Optimizer optimizer(state, {});
  prepare(optimizer, state, {{1}});
  optimizer.update(state, 1);
  EXPECT_EQ(state.parameters[0].working[0], 1.0F);
}

TEST(Optimizer, DecayAndL1ActOnTheGradient) {
  const ModelState state = one_weight({2.0F, -4.0F, 0.0F, -0.0F});
  Optimizer optimizer(state, {.momentum = 0, .weight_decay = 0.5, .l1 = 0.25});
  prepare(optimizer, state, {{1, 1, 1, 1}});
  EXPECT_EQ(gradient(optimizer, 0), (std::vector<float>{2.25F, -1.25F, 1.0F, 1.0F}));
}

TEST(Optimizer, UnitGradientsShareOneNormPerLayer) {
  ModelState state;
  state.parameters.push_back(parameter("a.weight", ParameterRole::weight, 0, {0, 0}));
  state.parameters.push_back(parameter("a.bias", ParameterRole::bias, 0, {0}));
  state.parameters.push_back(parameter("b.weight", ParameterRole::weight, 1, {0}));
  state.parameters.push_back(parameter("free", ParameterRole::scale, -1, {0}));
  Optimizer optimizer(state, {.normalize = Normalize::yes});
  // Layer 0 has the norm sqrt(4 + 16 + 16) = 6; norm 0 stays; what belongs to no layer has none.
  prepare(optimizer, state, {{2, 4}, {4}, {0}, {7}});
  EXPECT_EQ(gradient(optimizer, 0), (std::vector<float>{1.0F / 3, 2.0F / 3}));
  EXPECT_EQ(gradient(optimizer, 1), (std::vector<float>{2.0F / 3}));
  EXPECT_EQ(gradient(optimizer, 2), (std::vector<float>{0}));
  EXPECT_EQ(gradient(optimizer, 3), (std::vector<float>{7}));
}

TEST(Optimizer, EachTensorOfALayerHasANormOfItsOwn) {
  ModelState state;
  state.parameters.push_back(parameter("a.weight", ParameterRole::weight, 0, {0, 0}));
  state.parameters.push_back(parameter("a.bias", ParameterRole::bias, 0, {0}));
  state.parameters.push_back(parameter("b.weight", ParameterRole::weight, 1, {0}));
  state.parameters.push_back(parameter("free", ParameterRole::scale, -1, {0}));
  Optimizer optimizer(state, {.normalize = Normalize::tensor});
  prepare(optimizer, state, {{3, 4}, {4}, {0}, {7}});
  EXPECT_EQ(gradient(optimizer, 0), (std::vector<float>{0.6F, 0.8F}));
  EXPECT_EQ(gradient(optimizer, 1), (std::vector<float>{1}));
  EXPECT_EQ(gradient(optimizer, 2), (std::vector<float>{0}));
  EXPECT_EQ(gradient(optimizer, 3), (std::vector<float>{7}));
}

TEST(Optimizer, RelativeGradientsAreAsLongAsTheWeights) {
  ModelState state;
  state.parameters.push_back(parameter("a.weight", ParameterRole::weight, 0, {6, -8}));
  state.parameters.push_back(parameter("a.bias", ParameterRole::bias, 0, {2}));
  state.parameters.push_back(parameter("b.weight", ParameterRole::weight, 1, {0}));
  state.parameters.push_back(parameter("c.weight", ParameterRole::weight, 2, {5}));
  Optimizer optimizer(state, {.normalize = Normalize::relative});
  prepare(optimizer, state, {{3, 4}, {4}, {9}, {0}});
  EXPECT_EQ(gradient(optimizer, 0), (std::vector<float>{6, 8}));
  EXPECT_EQ(optimizer.gradient_norm(0), 10);
  EXPECT_EQ(gradient(optimizer, 1), (std::vector<float>{4})) << "a bias keeps its own";
  EXPECT_EQ(gradient(optimizer, 2), (std::vector<float>{9})) << "else weights of 0 would stay so for ever";
  EXPECT_EQ(gradient(optimizer, 3), (std::vector<float>{0}));
}

TEST(Optimizer, DecaysWeightsOnlyWhereAskedFor) {
  ModelState state = one_weight({2.0F});
  state.parameters.push_back(parameter("scale", ParameterRole::scale, 0, {4.0F}));
  Optimizer optimizer(state, {.weight_decay = 0.5, .l1 = 0.25, .decayed = Decayed::weights});
  prepare(optimizer, state, {{0}, {1}});
  EXPECT_EQ(gradient(optimizer, 0), (std::vector<float>{1.25F}));
  EXPECT_EQ(gradient(optimizer, 1), (std::vector<float>{1}));
  EXPECT_EQ(optimizer.regularization_loss(), 0.25 * 2 + 0.25 * 4);
}

TEST(Optimizer, NormIsTakenWithTheRegularization) {
  const ModelState state = one_weight({3.0F, 0.0F});
  Optimizer optimizer(state, {.weight_decay = 1, .normalize = Normalize::yes});
  prepare(optimizer, state, {{0, 4}});  // with decay: (3, 4), norm 5
  EXPECT_EQ(gradient(optimizer, 0), (std::vector<float>{0.6F, 0.8F}));
}

TEST(Optimizer, TinyAndHugeGradientsBecomeUnits) {
  for (const float size : {1e-42F, 1e-30F, 1e30F}) {
    const ModelState state = one_weight({0.0F});
    Optimizer optimizer(state, {.normalize = Normalize::yes});
    prepare(optimizer, state, {{size}});
    EXPECT_FLOAT_EQ(gradient(optimizer, 0)[0], 1.0F);
  }
}

TEST(Optimizer, RegularizationLossHandComputed) {
  ModelState state = one_weight({2.0F, -4.0F});
  state.parameters.push_back(parameter("bias", ParameterRole::bias, 0, {1.0F}));
  const auto loss = [&](double l1, double weight_decay) {
    Optimizer optimizer(state, {.weight_decay = weight_decay, .l1 = l1});
    prepare(optimizer, state, {{0, 0}, {0}});
    return optimizer.regularization_loss();
  };
  EXPECT_EQ(loss(0, 0), 0);
  EXPECT_EQ(loss(0.5, 0), 0.5 * 7);
  EXPECT_EQ(loss(0, 0.5), 0.25 * 21);
  EXPECT_EQ(loss(1, 2), 7 + 21);
}

/// Cut into pieces, with an odd rest, all is as over whole arrays.
TEST(Optimizer, PiecesAreOfNoMatter) {
  constexpr std::size_t kSize = 10007;
  std::vector<float> master(kSize);
  std::vector<float> mean(kSize);
  for (std::size_t i = 0; i < kSize; ++i) {
    master[i] = std::sin(static_cast<float>(i));
    mean[i] = std::cos(static_cast<float>(3 * i));
  }
  ModelState state = one_weight(master);
  Optimizer optimizer(state, {.momentum = 0.5, .weight_decay = 0.125, .normalize = Normalize::yes});
  prepare(optimizer, state, {mean});
  std::vector<float> expected(kSize);
  std::ranges::transform(mean, master, expected.begin(), [](float g, float w) { return g + 0.125F * w; });
  const double factor = 1 / std::sqrt(sum_squares(expected));
  std::ranges::transform(expected, expected.begin(), [&](float g) { return static_cast<float>(g * factor); });
  EXPECT_EQ(gradient(optimizer, 0), expected);
  EXPECT_EQ(optimizer.gradient_norm(0), std::sqrt(sum_squares(expected)));
  EXPECT_EQ(optimizer.regularization_loss(), 0.125 / 2 * sum_squares(master));

  const std::vector<Extremes> found = optimizer.update(state, 0.25);
  std::ranges::transform(master, expected, master.begin(), [](float w, float g) { return w - 0.25F * g; });
  EXPECT_EQ(to_vector(state.parameters[0].master), master);
  EXPECT_EQ(found, std::vector<Extremes>{extremes(master)});
}

}  // namespace
}  // namespace adapt
