#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "nn/graph.hpp"
#include "nn/kernels/loss.hpp"
#include "nn/models.hpp"
#include "nn/parameters.hpp"
#include "nn/passes/lower.hpp"
#include "support/model_builder.hpp"

namespace adapt {
namespace {

TEST(Model, Lenet5HasThePublishedSize) {
  const Graph graph = lower(make_model("lenet5", 10), {2, 1, 28, 28}, false);
  const auto state = initialize(graph, 0.5, 1);
  std::int64_t parameters = 0;
  for (const Parameter& parameter : state->parameters) {
    parameters += parameter.size();
  }
  EXPECT_EQ(parameters, 61706);
  ASSERT_EQ(graph.layers.size(), 5U);
  EXPECT_EQ(graph.layers[0].madds, 6 * 25 * 28 * 28);
  EXPECT_EQ(graph.layers[1].madds, 16 * 6 * 25 * 10 * 10);
  EXPECT_EQ(graph.layers[2].madds, 120 * 16 * 25);
  EXPECT_EQ(graph.layers[4].madds, 84 * 10);
  EXPECT_EQ(graph.layers[2].name, "conv3");
}

std::int64_t parameter_count(const Graph& graph) {
  std::int64_t count = 0;
  const auto state = initialize(graph, 0.5, 1);
  for (const Parameter& parameter : state->parameters) {
    count += parameter.size();
  }
  return count;
}

TEST(Model, ResnetFamilyHasThePublishedSizes) {
  // He et al. 2016, table 6, in millions: 0.27, 0.46, 0.66, 0.85, 1.7; here with projection shortcuts.
  const std::vector<std::pair<const char*, double>> published = {
      {"resnet20", 0.27}, {"resnet32", 0.46}, {"resnet44", 0.66}, {"resnet56", 0.85}, {"resnet110", 1.73}};
  for (const auto& [name, millions] : published) {
    const Graph graph = lower(make_model(name, 10), {1, 3, 32, 32}, false);
    EXPECT_NEAR(static_cast<double>(parameter_count(graph)) * 1e-6, millions, 0.01) << name;
    EXPECT_EQ(graph.layers.size(), static_cast<std::size_t>(std::stoi(name + 6)) + 2) << "with two shortcuts";
  }
  const Graph graph = lower(make_model("resnet20", 10), {1, 3, 32, 32}, false);
  EXPECT_EQ(graph.layers[5].name, "stage1.block3.conv1");
  EXPECT_EQ(graph.layers[7].name, "stage2.block1.shortcut");
}

TEST(Model, AlexnetCountsAndSizes) {
  const Graph graph = lower(make_model("alexnet", 10), {1, 3, 32, 32}, false);
  EXPECT_EQ(parameter_count(graph), 64 * (3 * 121 + 1) + 192 * (64 * 25 + 1) + 384 * (192 * 9 + 1) +
                                        256 * (384 * 9 + 1) + 256 * (256 * 9 + 1) + 10 * 257);
  EXPECT_EQ(graph.nodes.back().input, (Shape{1, 256, 1, 1}));
}

TEST(Model, LayersKnowWhetherABatchNormReadsTheirOutputs) {
  for (const bool quantized : {false, true}) {
    const Graph resnet = lower(make_model("resnet20", 10), {1, 3, 32, 32}, quantized);
    for (const QuantizedLayer& layer : resnet.layers) {
      EXPECT_EQ(layer.is_normalized, layer.name != "fc") << layer.name;
    }
    const Graph alexnet = lower(make_model("alexnet", 10), {1, 3, 32, 32}, quantized);
    EXPECT_FALSE(std::ranges::any_of(alexnet.layers, &QuantizedLayer::is_normalized));
  }
}

TEST(Model, MobilenetV2CountsAndSizes) {
  // Its authors' 3.4 million parameters with 1,000 classes, which are 3.5 million with all batch norms.
  EXPECT_EQ(parameter_count(lower(make_model("mobilenet_v2", 1000), {1, 3, 32, 32}, false)), 3'504'872);
  const Graph graph = lower(make_model("mobilenet_v2", 10), {1, 3, 32, 32}, false);
  EXPECT_EQ(graph.nodes.back().input, (Shape{1, 1280, 1, 1}));
  std::int64_t madds = 0;
  for (const QuantizedLayer& layer : graph.layers) {
    madds += layer.madds;
  }
  EXPECT_EQ(madds, 87'976'448);
}

TEST(Model, AllModelsTakeGreyImagesOf28PixelsAndAnyClassCount) {
  for (const std::string& name : model_names()) {
    const Graph graph = lower(make_model(name, 37), {2, 1, 28, 28}, true);
    EXPECT_EQ(graph.nodes.back().output, (Shape{2, 37, 1, 1})) << name;
  }
}

TEST(Model, OperandsOfResidualSumsAreOnGrids) {
  const Graph graph = lower(small_resnet(10, 1), {1, 3, 32, 32}, true);
  std::vector<std::string> operands;
  for (const GraphNode& node : graph.nodes) {
    if (node.op().quantization() == QuantizePlace::operand) {
      operands.push_back(node.name);
    }
  }
  // A batch norm leaves the grid, so does the stem's; the sum of a block, behind its ReLU, is on one already.
  EXPECT_EQ(operands, (std::vector<std::string>{"stage1.block1.sum.operand1", "stage1.block1.sum.operand2",
                                                "stage2.block1.sum.operand1", "stage2.block1.sum.operand2",
                                                "stage3.block1.sum.operand1", "stage3.block1.sum.operand2"}));
}

TEST(Model, UnknownNameListsTheKnown) {
  try {
    make_model("lenet6", 10);
    FAIL() << "expected BadInput";
  } catch (const BadInput& error) {
    EXPECT_NE(std::string(error.what()).find("lenet5"), std::string::npos);
  }
}

TEST(Model, ShapesThatDoNotFitNameTheLayer) {
  try {
    lower(make_model("lenet5", 10), {1, 1, 12, 12}, false);
    FAIL() << "expected BadInput";
  } catch (const BadInput& error) {
    EXPECT_NE(std::string(error.what()).find("conv3"), std::string::npos) << error.what();
  }
  ModelBuilder uneven("uneven");
  uneven.convolution("a", {.channels = 3, .kernel = 3}).add("sum", 0);
  EXPECT_THROW(lower(uneven.build(), {1, 3, 6, 6}, false), BadInput);
  EXPECT_THROW(lower(ModelBuilder("twice").linear("a", 2).linear("a", 2).build(), {1, 1, 1, 1}, false),
               BadInput);
}

TEST(Model, EmulatedGraphQuantizesAroundEachProduct) {
  const Graph graph = lower(make_model("lenet5", 10), {1, 1, 28, 28}, true);
  EXPECT_EQ(graph.nodes[0].name, "conv1.inputs");
  EXPECT_EQ(graph.nodes[1].name, "conv1");
  EXPECT_EQ(graph.nodes[2].name, "conv1.outputs");
  EXPECT_EQ(graph.nodes.size(), lower(make_model("lenet5", 10), {1, 1, 28, 28}, false).nodes.size() + 10);
  EXPECT_FALSE(graph.nodes[1].input_gradient) << "nobody needs the image's gradient";
}

TEST(Model, InitializationIsTruncatedAndScaled) {
  const Graph graph = lower(make_model("lenet5", 10), {1, 1, 28, 28}, false);
  const auto state = initialize(graph, 0.5, 1);
  const Parameter& weight = state->parameters[state->find("conv3.weight")];
  const double deviation = std::sqrt(0.5 / 400);
  double square = 0;
  float largest = 0;
  for (const float value : weight.master) {
    square += double{value} * value;
    largest = std::max(largest, std::abs(value));
  }
  EXPECT_LE(largest, std::sqrt(3.0) * deviation);
  EXPECT_GT(largest, 0.99 * std::sqrt(3.0) * deviation);
  // A normal cut at ±√3 σ keeps 1 - 2·√3·φ(√3) / (2Φ(√3) - 1) = 0.6636 of the variance.
  EXPECT_NEAR(std::sqrt(square / static_cast<double>(weight.size())) / deviation, std::sqrt(0.6636), 0.01);
  EXPECT_NE(initialize(graph, 0.5, 2)->parameters[0].master, state->parameters[0].master);
  EXPECT_EQ(initialize(graph, 0.5, 1)->parameters[4].master, state->parameters[4].master);
}

TEST(Loss, HandComputed) {
  const std::vector<float> logits = {0, 0, 1000, 0};
  const std::vector<std::int32_t> labels = {1, 0};
  std::vector<float> gradient(4);
  const LossSum sum = softmax_cross_entropy(logits, labels, 2, gradient);
  EXPECT_DOUBLE_EQ(sum.loss, std::log(2.0)) << "two equal logits, and a certain hit that must not overflow";
  EXPECT_EQ(sum.correct, 1) << "of equal logits the first one counts";
  EXPECT_EQ(gradient, (std::vector<float>{0.25F, -0.25F, 0, 0}));
}

TEST(Loss, SmoothedIsTheCrossEntropyToTheSmoothedTarget) {
  const std::vector<float> logits = {1, -2, 0.5F};
  const std::vector<std::int32_t> labels = {1};
  const double total = std::exp(1.0) + std::exp(-2.0) + std::exp(0.5);
  const std::vector<double> target = {0.1, 0.8, 0.1};
  double expected = 0;
  for (std::size_t c = 0; c < 3; ++c) {
    expected -= target[c] * (logits[c] - std::log(total));
  }
  std::vector<float> gradient(3);
  EXPECT_NEAR(softmax_cross_entropy(logits, labels, 3, gradient, 0.3).loss, expected, 1e-12);
  for (std::size_t c = 0; c < 3; ++c) {
    EXPECT_NEAR(gradient[c], std::exp(double{logits[c]}) / total - target[c], 1e-6);
  }
}

}  // namespace
}  // namespace adapt
