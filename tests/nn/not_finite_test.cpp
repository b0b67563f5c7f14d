#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "nn/models.hpp"
#include "small_model.hpp"

namespace adapt {
namespace {

/// What is said when the first weight of `parameter` is `value`.
std::string said(const std::string& parameter, float value) {
  test::SmallModel model(make_model("lenet5", 10), {2, 1, 28, 28});
  if (!parameter.empty()) {
    Parameter& spoiled = model.state->parameters.at(model.state->find(parameter));
    spoiled.master[0] = value;
    use_master(spoiled);
  }
  EXPECT_EQ(std::isfinite(model.loss()), parameter.empty());
  return model.network.first_not_finite(model.images, Pass{});
}

TEST(FirstNotFinite, NamesTheFirstLayer) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(said("conv1.weight", kNan), "the output of 'conv1'");
  EXPECT_EQ(said("conv2.weight", kNan), "the output of 'conv2'");
  EXPECT_EQ(said("fc2.weight", kNan), "the output of 'fc2'");
}

TEST(FirstNotFinite, SaysWhenNoLayerIsToBlame) { EXPECT_EQ(said("", 0), "the loss"); }

TEST(FirstNotFinite, KnowsTheImages) {
  test::SmallModel model(make_model("lenet5", 10), {2, 1, 28, 28});
  model.images[5] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(model.network.first_not_finite(model.images, Pass{}), "the images");
}

}  // namespace
}  // namespace adapt
