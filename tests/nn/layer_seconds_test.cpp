#include <gtest/gtest.h>

#include "nn/models.hpp"
#include "small_model.hpp"

namespace adapt {
namespace {

TEST(LayerSeconds, NothingIsCountedUnlessAskedFor) {
  test::SmallModel model(make_model("lenet5", 10), {2, 1, 28, 28});
  model.loss();
  EXPECT_TRUE(model.network.layer_seconds().empty());
}

TEST(LayerSeconds, EachNodeHasItsShareOfThePhases) {
  test::SmallModel model(make_model("lenet5", 10), {2, 1, 28, 28},
                         /*training=*/true, /*quantized=*/true);
  model.network.count_layers();
  model.loss();
  Pass pass;
  model.network.backward(pass);
  const auto& layers = model.network.layer_seconds();
  ASSERT_EQ(layers.size(), model.graph.nodes.size());
  double forward = 0;
  double backward = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    EXPECT_EQ(layers[i].name, model.graph.nodes[i].name);
    EXPECT_GE(layers[i].forward, 0);
    EXPECT_GE(layers[i].backward, 0);
    forward += layers[i].forward;
    backward += layers[i].backward;
  }
  const NetworkSeconds& phases = model.network.seconds();
  EXPECT_GT(forward, 0);
  EXPECT_GT(backward, 0);
  EXPECT_LE(forward + backward, phases.forward + phases.backward + phases.quantize)
      << "the phases hold the nodes and the loss";
}

}  // namespace
}  // namespace adapt
