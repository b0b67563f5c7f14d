// What flows back into a layer, quantized: against the reference, and past the other branches of a residual
// network, whose gradients share memory.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "nn/models.hpp"
#include "nn/passes/memory_plan.hpp"
#include "nn/small_model.hpp"
#include "numerics/reference.hpp"
#include "numerics/sum.hpp"
#include "support/model_builder.hpp"

namespace adapt {
namespace {

using test::SmallModel;

/// So coarse that every gradient becomes 0.
constexpr FixedFormat kNothingLeft = {8, -96};

/// Runs one step of `model` under `plan` and returns all parameter gradients, by the names' order.
std::vector<AlignedVector<float>> gradients(SmallModel& model, const PrecisionPlan* plan,
                                            std::vector<LayerMaxima>* maxima = nullptr) {
  Pass pass;
  pass.seed = 11;
  pass.step = 3;
  pass.shard = 2;
  pass.plan = plan;
  pass.maxima = maxima;
  model.network.forward(model.images, model.labels, pass);
  model.network.backward(pass);
  std::vector<AlignedVector<float>> all;
  for (const Parameter& parameter : model.state->parameters) {
    all.push_back(parameter.gradient);
  }
  return all;
}

/// The gradient of the loss by the logits of the last forward.
std::vector<float> logit_gradient(const SmallModel& model) {
  const std::span<const float> logits = model.network.logits();
  std::vector<float> gradient(logits.size());
  softmax_cross_entropy(logits, model.labels, model.graph.nodes.back().output.c, gradient);
  return gradient;
}

TEST(ActivationGradients, AreTheReferencesNumbers) {
  SmallModel model(ModelBuilder("m").linear("a", 6).relu().linear("b", 4).build(), {5, 1, 3, 3}, true, true);
  PrecisionPlan plan;
  plan.layers.resize(2);
  const FixedFormat format = {5, 7};
  plan.layers[1].activation_gradients = format;
  const auto all = gradients(model, &plan);
  const std::vector<float> plain = logit_gradient(model);
  const RandomKey key = {11, Stream::activation_gradients, 1, 3, 2};
  const auto quantized = reference::quantize(plain, format, Rounding::stochastic, key);
  // The gradient of b's bias is the sum over the batch, exact for numbers on a grid.
  std::vector<float> expected(4);
  for (std::size_t i = 0; i < plain.size(); ++i) {
    expected[i % 4] += static_cast<float>(quantized.integers[i]) * format.step();
  }
  const std::size_t bias = model.state->find("b.bias");
  EXPECT_EQ(std::vector<float>(all[bias].begin(), all[bias].end()), expected);
  EXPECT_NE(quantized.result.nonzero, 0);
}

TEST(ActivationGradients, WithoutFormatOnlyRoundingDiffers) {
  const ModelDescription description = small_resnet(4, 1);
  SmallModel plain(description, {4, 3, 8, 8}, true, false);
  SmallModel emulated(description, {4, 3, 8, 8}, true, true);
  PrecisionPlan plan;
  plan.layers.resize(emulated.graph.layers.size());
  const auto expected = gradients(plain, nullptr);
  const auto found = gradients(emulated, &plan);  // batch norms add up in another order
  for (std::size_t p = 0; p < expected.size(); ++p) {
    const float tolerance = 1e-4F * maximum_magnitude(expected[p]);
    for (std::size_t i = 0; i < expected[p].size(); ++i) {
      ASSERT_NEAR(found[p][i], expected[p][i], tolerance) << plain.state->parameters[p].name << " " << i;
    }
  }
}

/// stem → a, and stem + a (in this order or the other) → last. Both branches get the sum's gradient.
ModelDescription shared_gradient(bool stem_first) {
  ModelBuilder model("shared");
  model.convolution("stem", {.channels = 4, .kernel = 3, .padding = 1});
  const int stem = model.value();
  model.convolution("a", {.channels = 4, .kernel = 3, .padding = 1});
  const int a = model.value();
  if (stem_first) {
    model.from(stem).add("sum", a);
  } else {
    model.add("sum", stem);
  }
  return model.linear("last", 3).build();
}

TEST(ActivationGradients, OfOneBranchLeaveTheOtherAlone) {
  for (const bool stem_first : {false, true}) {
    SmallModel model(shared_gradient(stem_first), {5, 2, 6, 6}, true, true);
    PrecisionPlan plan;
    plan.layers.resize(3);
    const std::size_t stem_bias = model.state->find("stem.bias");
    const std::size_t a_bias = model.state->find("a.bias");
    const auto plain = gradients(model, &plan);
    plan.layers[1].activation_gradients = kNothingLeft;
    const auto cut = gradients(model, &plan);
    EXPECT_EQ(maximum_magnitude(cut[a_bias]), 0.0F);
    EXPECT_EQ(maximum_magnitude(cut[model.state->find("a.weight")]), 0.0F);
    EXPECT_EQ(cut[model.state->find("last.weight")], plain[model.state->find("last.weight")]);
    // Nothing comes back through a: the stem gets the sum's gradient alone, as a did before.
    for (std::size_t c = 0; c < 4; ++c) {
      EXPECT_NEAR(cut[stem_bias][c], plain[a_bias][c], 1e-5) << "stem first: " << stem_first;
    }
    EXPECT_GT(maximum_magnitude(cut[stem_bias]), 1e-3F);
  }
}

TEST(ActivationGradients, OfTheSharedValueTakeTheSumOfBothBranches) {
  // The stem's own gradient is complete before it is quantized, and a's is not touched by that.
  SmallModel model(shared_gradient(false), {5, 2, 6, 6}, true, true);
  PrecisionPlan plan;
  plan.layers.resize(3);
  const auto plain = gradients(model, &plan);
  plan.layers[0].activation_gradients = kNothingLeft;
  const auto cut = gradients(model, &plan);
  EXPECT_EQ(maximum_magnitude(cut[model.state->find("stem.weight")]), 0.0F);
  EXPECT_EQ(cut[model.state->find("a.weight")], plain[model.state->find("a.weight")]);
}

TEST(ActivationGradients, FineGridsHardlyMoveAResidualNetworksGradients) {
  const ModelDescription description = small_resnet(4, 1);
  SmallModel model(description, {6, 3, 8, 8}, true, true);
  PrecisionPlan plan;
  plan.layers.resize(model.graph.layers.size());
  const auto plain = gradients(model, &plan);
  for (LayerFormats& layer : plan.layers) {
    layer.activation_gradients = FixedFormat{24, 24};
  }
  const auto fine = gradients(model, &plan);
  EXPECT_NE(fine, plain);
  for (std::size_t p = 0; p < plain.size(); ++p) {
    const float size = maximum_magnitude(plain[p]);
    for (std::size_t i = 0; i < plain[p].size(); ++i) {
      ASSERT_NEAR(fine[p][i], plain[p][i], 1e-3F * size + 1e-4F) << model.state->parameters[p].name;
    }
  }
}

TEST(ActivationGradients, NaNNamesTheLayer) {
  SmallModel model(ModelBuilder("m").linear("a", 6).linear("b", 4).build(), {5, 1, 3, 3}, true, true);
  PrecisionPlan plan;
  plan.layers.resize(2);
  plan.layers[0].activation_gradients = FixedFormat{8, 8};
  Parameter& weight = model.state->parameters[model.state->find("b.weight")];
  weight.working[0] = std::nanf("");
  ++weight.version;
  try {
    gradients(model, &plan);
    FAIL() << "accepted";
  } catch (const Failure& error) {
    EXPECT_NE(std::string(error.what()).find("NaN or Inf in 'a.outputs' at step 3"), std::string::npos)
        << error.what();
  }
}

TEST(Maxima, AreTakenWhereTheyAreAskedForWithAndWithoutFormat) {
  SmallModel model(ModelBuilder("m").linear("a", 6).relu().linear("b", 4).build(), {5, 1, 3, 3}, true, true);
  PrecisionPlan plan;
  plan.layers.resize(2);
  for (const bool has_formats : {false, true}) {
    if (has_formats) {
      plan.layers[0].inputs = FixedFormat{16, 8};
      plan.layers[1].activation_gradients = FixedFormat{24, 30};
    }
    std::vector<LayerMaxima> maxima(2);
    maxima[0].inputs = 0.25F;
    maxima[1].outputs = 1000.0F;
    maxima[1].activation_gradients = 0.0F;
    gradients(model, &plan, &maxima);
    EXPECT_EQ(maxima[0].inputs, maximum_magnitude(model.images))
        << "of what comes in, not of what is rounded";
    EXPECT_EQ(maxima[1].outputs, 1000.0F) << "only raised";
    EXPECT_EQ(maxima[1].activation_gradients, maximum_magnitude(logit_gradient(model)));
    EXPECT_FALSE(maxima[0].outputs.has_value());
    EXPECT_FALSE(maxima[0].activation_gradients.has_value());
  }
}

}  // namespace
}  // namespace adapt
