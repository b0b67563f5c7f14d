// Dropout: which numbers are left out, and that the arithmetic and the ranks do not matter.

#include <gtest/gtest.h>

#include <algorithm>

#include "nn/small_model.hpp"
#include "support/model_builder.hpp"

namespace adapt {
namespace {

using test::SmallModel;

constexpr const char* kOneLayer = "name: one\nimage: [3, 9, 9]\nlayers:\n  - dropout: {rate: 0.25}\n";
const Shape kImage = {40, 3, 9, 9};

SmallModel ones(bool training) {
  SmallModel model(read_model(kOneLayer, "test", 243), kImage, training);
  std::fill(model.images.begin(), model.images.end(), 1.0F);
  return model;
}

std::vector<float> outputs(SmallModel& model, const Pass& options) {
  Pass pass = options;
  model.network.forward(model.images, model.labels, pass);
  const auto logits = model.network.logits();
  return {logits.begin(), logits.end()};
}

TEST(Dropout, LeavesOutAShareAndScalesTheRest) {
  SmallModel model = ones(/*training=*/true);
  const std::vector<float> found = outputs(model, {.seed = 3, .step = 5, .shard = 2});
  const auto zeros = std::count(found.begin(), found.end(), 0.0F);
  EXPECT_NEAR(static_cast<double>(zeros) / static_cast<double>(found.size()), 0.25, 0.02);
  EXPECT_EQ(zeros + std::count(found.begin(), found.end(), 4.0F / 3),
            static_cast<std::ptrdiff_t>(found.size()));
}

TEST(Dropout, DependsOnSeedStepAndShardOnly) {
  SmallModel model = ones(/*training=*/true);
  SmallModel other = ones(/*training=*/true);
  const Pass pass = {.seed = 3, .step = 5, .shard = 2};
  EXPECT_EQ(outputs(model, pass), outputs(other, pass));
  for (const Pass& change : {Pass{.seed = 4, .step = 5, .shard = 2}, Pass{.seed = 3, .step = 6, .shard = 2},
                             Pass{.seed = 3, .step = 5, .shard = 3}}) {
    EXPECT_NE(outputs(model, pass), outputs(model, change));
  }
}

TEST(Dropout, IsNothingAtInference) {
  SmallModel model = ones(/*training=*/false);
  for (const float number : outputs(model, {})) {
    ASSERT_EQ(number, 1.0F);
  }
}

}  // namespace
}  // namespace adapt
