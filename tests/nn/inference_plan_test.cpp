#include "nn/passes/inference_plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <stdexcept>

#include "small_model.hpp"
#include "support/model_builder.hpp"

namespace adapt::test {
namespace {

constexpr FixedFormat kByte = {8, 5};

PrecisionPlan byte_formats(std::size_t layers) {
  PrecisionPlan plan;
  plan.layers.assign(layers, {.weights = {{8, 7}}, .inputs = kByte, .outputs = kByte, .operands = kByte});
  return plan;
}

/// conv1 → ReLU → (conv2 → ReLU → conv3) + projection of the same → ReLU → average → fc
ModelDescription block_model() {
  ModelBuilder model("block");
  model.convolution("conv1", {.channels = 8, .kernel = 3, .padding = 1}).relu();
  const int entry = model.value();
  model.convolution("shortcut", {.channels = 8}).batch_norm("shortcut_bn");
  const int shortcut = model.value();
  model.from(entry)
      .convolution("conv2", {.channels = 8, .kernel = 3, .padding = 1})
      .relu()
      .convolution("conv3", {.channels = 8, .kernel = 3, .padding = 1})
      .add("sum", shortcut)
      .relu();
  return model.average_pool(4).linear("fc", 3).build();
}

class InferencePlanTest : public ::testing::Test {
 protected:
  InferencePlanTest()
      : model_(block_model(), {2, 3, 4, 4}, /*training=*/false),
        formats_(byte_formats(model_.graph.layers.size())) {}

  InferencePlan plan() const {
    return plan_inference(model_.graph, *model_.state, NumberType::float32, &formats_);
  }
  LayerFormats& formats(const std::string& layer) {
    for (std::size_t i = 0; i < formats_.layers.size(); ++i) {
      if (model_.graph.layers[i].name == layer) {
        return formats_.layers[i];
      }
    }
    throw std::out_of_range(layer);
  }
  static InferenceStep step(const InferencePlan& plan, const std::string& name) {
    for (const InferenceStep& step : plan.steps) {
      if (step.name == name) {
        return step;
      }
    }
    throw std::out_of_range(name);
  }
  static InferenceValue made(const InferencePlan& plan, const std::string& name) {
    return plan.values[static_cast<std::size_t>(step(plan, name).destination)];
  }

  SmallModel model_;
  PrecisionPlan formats_;
};

TEST_F(InferencePlanTest, KeepsBytesBetweenLayers) {
  const InferencePlan all = plan();
  EXPECT_EQ(all.integer_products(), 5);
  std::vector<std::string> names;
  for (const InferenceStep& step : all.steps) {
    names.push_back(step.name);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"images.convert", "conv1", "shortcut", "conv2", "conv3",
                                             "average_pool10", "fc"}));
  EXPECT_EQ(made(all, "images.convert").type, NumberType::signed_byte);
  EXPECT_EQ(made(all, "conv1").type, NumberType::unsigned_byte);
  EXPECT_EQ(made(all, "shortcut").type, NumberType::signed_byte);
  EXPECT_EQ(made(all, "conv2").type, NumberType::unsigned_byte);
  EXPECT_EQ(made(all, "conv3").type, NumberType::unsigned_byte);
  EXPECT_EQ(made(all, "average_pool10").type, NumberType::unsigned_byte);
  EXPECT_EQ(made(all, "fc").type, NumberType::float32);
  EXPECT_EQ(step(all, "conv3").residual, step(all, "shortcut").destination);
}

TEST_F(InferencePlanTest, TakesTheWidestGridOfItsReaders) {
  formats("conv2").inputs = FixedFormat{8, 3};
  formats("shortcut").inputs = FixedFormat{8, 6};
  formats("conv3").inputs = FixedFormat{7, 4};
  formats("conv3").operands = FixedFormat{8, 6};
  formats("shortcut").operands = FixedFormat{8, 2};
  formats("fc").inputs = FixedFormat{8, 9};
  const InferencePlan all = plan();
  EXPECT_EQ(made(all, "conv1").fractional_length, 3);
  EXPECT_EQ(made(all, "conv2").fractional_length, 4);
  EXPECT_EQ(made(all, "shortcut").fractional_length, 2);
  // No product reads the sum: it reaches as far as its operands.
  EXPECT_EQ(made(all, "conv3").fractional_length, 2);
  EXPECT_EQ(made(all, "average_pool10").fractional_length, 9);
}

TEST_F(InferencePlanTest, FoldsScalesAndAddends) {
  Parameter& bias = model_.state->parameters[model_.state->find("conv2.bias")];
  std::fill(bias.working.begin(), bias.working.end(), 0.75F);
  formats("conv2").inputs = FixedFormat{8, 3};
  formats("conv3").inputs = FixedFormat{8, 4};
  const FoldedProduct product = step(plan(), "conv2").product;
  // Sums count in 2^-(7 + 3), the destination in 2^-4.
  EXPECT_EQ(product.factors, std::vector<float>(8, std::ldexp(1.0F, 4 - 10)));
  EXPECT_EQ(product.addends, std::vector<float>(8, 0.75F * 1024));
  EXPECT_EQ(product.activation, Activation::relu);
}

TEST_F(InferencePlanTest, AddendsOfIntegerSumsAreWholeNumbers) {
  Parameter& bias = model_.state->parameters[model_.state->find("conv2.bias")];
  std::fill(bias.working.begin(), bias.working.end(), 0.3F);
  formats("conv2").inputs = FixedFormat{8, 3};
  EXPECT_EQ(step(plan(), "conv2").product.addends, std::vector<float>(8, 307));  // 0.3 · 2^(7 + 3) is 307.2
}

TEST_F(InferencePlanTest, AChannelThatIsSwitchedOffKeepsItsAddend) {
  Parameter& scale = model_.state->parameters[model_.state->find("shortcut_bn.scale")];
  Parameter& shift = model_.state->parameters[model_.state->find("shortcut_bn.shift")];
  scale.working[3] = 0;
  shift.working[3] = 0.5F;
  const FoldedProduct product = step(plan(), "shortcut").product;
  EXPECT_EQ(product.factors[3] * product.addends[3], 0.5F * 32);
  EXPECT_EQ(product.addends[3], 0x1p23F);
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(product.weights[3 * 8 + i], 0);
  }
}

TEST_F(InferencePlanTest, FloatLayersAreReadAndWrittenAsFloats) {
  formats("conv3").weights = FixedFormat{9, 7};
  const InferencePlan all = plan();
  EXPECT_EQ(all.integer_products(), 4);
  EXPECT_FALSE(step(all, "conv3").product.integer);
  EXPECT_EQ(made(all, "conv1").type, NumberType::unsigned_byte);
  EXPECT_EQ(made(all, "conv2").type, NumberType::float32);
  EXPECT_EQ(made(all, "shortcut").type, NumberType::float32);
  EXPECT_EQ(made(all, "conv3").type, NumberType::float32);
  EXPECT_EQ(made(all, "average_pool10").type, NumberType::signed_byte);
}

TEST_F(InferencePlanTest, WithoutFormatsAllIsFloat) {
  formats_ = {};
  formats_.layers.resize(model_.graph.layers.size());
  EXPECT_EQ(plan().integer_products(), 0);
  const InferencePlan plain = plan_inference(model_.graph, *model_.state, NumberType::float32, nullptr);
  EXPECT_EQ(plain.integer_products(), 0);
  EXPECT_EQ(plain.products(), 5);
  EXPECT_EQ(plain.steps.size(), 6U);
}

TEST_F(InferencePlanTest, AValueThatIsReadLaterIsNotOverwritten) {
  // The first sum's residual is read again by the second sum.
  ModelBuilder builder("twice");
  builder.convolution("conv1", {.channels = 4}).relu();
  const int entry = builder.value();
  builder.convolution("conv2", {.channels = 4}).add("sum1", entry).relu();
  builder.convolution("conv3", {.channels = 4}).add("sum2", entry).relu();
  SmallModel model(builder.linear("fc", 2).build(), {1, 2, 3, 3}, /*training=*/false);
  const PrecisionPlan formats = byte_formats(4);
  const InferencePlan all = plan_inference(model.graph, *model.state, NumberType::float32, &formats);
  EXPECT_NE(step(all, "conv2").residual, step(all, "conv1").destination);
  EXPECT_EQ(made(all, "conv1").type, all.values[static_cast<std::size_t>(step(all, "conv2").residual)].type);
  EXPECT_EQ(step(all, "conv3").residual, step(all, "conv1").destination);
}

}  // namespace
}  // namespace adapt::test
