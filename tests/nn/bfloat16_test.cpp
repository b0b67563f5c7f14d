// Mixed precision against float32: the same network, the same weights, close numbers.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "nn/inference/network.hpp"
#include "nn/kernels/onednn.hpp"
#include "nn/models.hpp"
#include "small_model.hpp"
#include "support/model_builder.hpp"

namespace adapt::test {
namespace {

/// bfloat16 has 8 significant bits: a rounding costs up to 2^-9 of a number, and a network makes many. On the
/// way back some ReLUs and maxima have decided otherwise, too. A wrong gradient is at a distance of 1 or
/// more.
constexpr double kTolerance = 0.05;
constexpr double kGradientTolerance = 0.25;

ModelDescription all_layers() {
  ModelBuilder model("all");
  model.convolution("conv1", {.channels = 16, .kernel = 3, .padding = 1, .bias = false})
      .batch_norm("bn1")
      .relu();
  const int entry = model.value();
  model.convolution("shortcut", {.channels = 24, .kernel = 1, .stride = 2}).batch_norm("shortcut_bn");
  const int shortcut = model.value();
  model.from(entry)
      .convolution("conv2", {.channels = 24, .kernel = 3, .stride = 2, .padding = 1})
      .batch_norm("bn2")
      .add("sum", shortcut)
      .relu()
      .max_pool(2);
  model.convolution("conv3", {.channels = 16, .kernel = 3, .padding = 1}).tanh();  // covers its map
  return model.average_pool(2).linear("fc", 6).build();
}

/// ‖a - b‖ / ‖b‖.
double distance(std::span<const float> a, std::span<const float> b) {
  double difference = 0;
  double norm = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += std::pow(static_cast<double>(a[i]) - b[i], 2);
    norm += std::pow(static_cast<double>(b[i]), 2);
  }
  return std::sqrt(difference / norm);
}

/// An operation that knows float32 only.
class Plain final : public Operation {
 public:
  [[nodiscard]] std::string_view kind() const override { return "plain"; }
  [[nodiscard]] Shape output(const Shape& input) const override { return input; }
  [[nodiscard]] std::vector<ParameterShape> parameters(const Shape& /*input*/) const override { return {}; }
  [[nodiscard]] BackwardNeeds backward() const override {
    return {.input = false, .output = false, .is_identity = false};
  }
  [[nodiscard]] bool works_in_place() const override { return false; }
  [[nodiscard]] bool keeps_grid() const override { return false; }
  [[nodiscard]] std::optional<ProductTerms> product() const override { return std::nullopt; }
  [[nodiscard]] std::optional<NormalizationTerms> normalization() const override { return std::nullopt; }
  [[nodiscard]] std::optional<Activation> activation() const override { return std::nullopt; }
  [[nodiscard]] std::optional<PoolingTerms> pooling(const Shape& /*input*/) const override {
    return std::nullopt;
  }
  [[nodiscard]] bool is_sum() const override { return false; }
  [[nodiscard]] std::optional<QuantizePlace> quantization() const override { return std::nullopt; }
  [[nodiscard]] bool rests_at_inference() const override { return false; }
  [[nodiscard]] bool has_bfloat16() const override { return false; }
  [[nodiscard]] std::unique_ptr<Layer> make_layer(const LayerParts& /*parts*/) const override {
    ADD_FAILURE() << "a layer in bfloat16";
    return nullptr;
  }
};

class Bfloat16Test : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!onednn::has_bfloat16()) {
      GTEST_SKIP() << "no bfloat16 products on this processor";
    }
  }
};

TEST_F(Bfloat16Test, WhatKnowsFloat32OnlyIsRefused) {
  Graph graph =
      lower(ModelBuilder("m").convolution("a", {.channels = 4, .kernel = 3}).relu().linear("b", 3).build(),
            {2, 3, 8, 8}, false);
  graph.nodes[1].operation = std::make_shared<Plain>();
  graph.nodes[1].place = "m.yaml:5";
  try {
    const Network network(graph, initialize(graph, 1, 1), /*training=*/true, Arithmetic::bfloat16);
    FAIL() << "expected BadInput";
  } catch (const BadInput& error) {
    EXPECT_EQ(std::string(error.what()),
              concat("m.yaml:5: layer '", graph.nodes[1].name,
                     "': operations of kind plain have no bfloat16 form; expected engine "
                     "float32, emulated or integer"));
  }
}

TEST_F(Bfloat16Test, ForwardAndGradientsAreThoseOfFloat32) {
  for (const auto& [model, image] :
       std::vector<std::pair<ModelDescription, Shape>>{{all_layers(), {16, 3, 8, 8}},
                                                       {make_model("lenet5", 10), {8, 1, 28, 28}},
                                                       {make_model("alexnet", 10), {8, 3, 32, 32}}}) {
    SCOPED_TRACE(model.name);
    SmallModel small(model, image);
    Network mixed(small.graph, small.state, /*training=*/true, Arithmetic::bfloat16);
    Pass pass;
    const double expected_loss = small.network.forward(small.images, small.labels, pass).loss;
    small.network.backward(pass);
    std::vector<AlignedVector<float>> expected;
    for (Parameter& parameter : small.state->parameters) {
      expected.push_back(parameter.gradient);
      std::fill(parameter.gradient.begin(), parameter.gradient.end(), 0.0F);
    }
    EXPECT_NEAR(mixed.forward(small.images, small.labels, pass).loss, expected_loss, 0.02 * expected_loss);
    EXPECT_LT(distance(mixed.logits(), small.network.logits()), kTolerance);
    EXPECT_NE(distance(mixed.logits(), small.network.logits()), 0);
    mixed.backward(pass);
    for (std::size_t p = 0; p < expected.size(); ++p) {
      const Parameter& parameter = small.state->parameters[p];
      // What a batch norm's mean takes away has no gradient but rounding errors.
      const bool vanishes =
          parameter.role == ParameterRole::bias && model.name == "all" && parameter.layer < 3;
      if (!vanishes) {
        EXPECT_LT(distance(parameter.gradient, expected[p]), kGradientTolerance) << parameter.name;
      }
    }
  }
}

TEST_F(Bfloat16Test, NamesTheFirstLayerThatIsNotFinite) {
  SmallModel small(all_layers(), {2, 3, 8, 8});
  Network mixed(small.graph, small.state, /*training=*/true, Arithmetic::bfloat16);
  Parameter& weight = small.state->parameters[small.state->find("conv2.weight")];
  weight.working[5] = std::nanf("");
  ++weight.version;
  EXPECT_EQ(mixed.first_not_finite(small.images, {}), "the output of 'conv2'");
}

TEST_F(Bfloat16Test, FoldedInferenceIsThatOfFloat32) {
  for (const auto& [model, image] :
       std::vector<std::pair<ModelDescription, Shape>>{{all_layers(), {5, 3, 8, 8}},
                                                       {make_model("lenet5", 10), {3, 1, 28, 28}},
                                                       {make_model("alexnet", 10), {3, 3, 32, 32}}}) {
    SCOPED_TRACE(model.name);
    SmallModel small(model, image, /*training=*/false);
    InferenceNetwork plain(small.graph, small.state, NumberType::float32, nullptr, image.n);
    InferenceNetwork mixed(small.graph, small.state, NumberType::bfloat16, nullptr, image.n);
    EXPECT_LT(distance(mixed.run(small.images), plain.run(small.images)), kTolerance);
    EXPECT_NE(distance(mixed.run(small.images), plain.run(small.images)), 0);
  }
}

}  // namespace
}  // namespace adapt::test
