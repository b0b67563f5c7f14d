#include "train/model_file.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.hpp"
#include "control/working_weights.hpp"
#include "nn/description.hpp"
#include "nn/passes/lower.hpp"
#include "support/model_builder.hpp"
#include "support/small_state.hpp"

namespace adapt {
namespace {

using test::to_vector;

constexpr std::uint64_t kSeed = 4;

Graph small_graph() {
  return lower(ModelBuilder("small")
                   .convolution("conv", {.channels = 3, .kernel = 3})
                   .batch_norm("bn")
                   .relu()
                   .linear("fc", 4)
                   .build(),
               {2, 1, 6, 6}, true);
}

/// Formats of two layers: fixed point at the word lengths given (0: float32).
PrecisionPlan plan_of(int first, int second) {
  PrecisionPlan plan;
  for (const int word_length : {first, second}) {
    LayerFormats formats;
    if (word_length != 0) {
      formats.weights = FixedFormat{word_length, word_length - 2};
      formats.inputs = FixedFormat{word_length, 3};
      formats.outputs = FixedFormat{word_length, -1};
    }
    plan.layers.push_back(formats);
  }
  return plan;
}

void fill_statistics(ModelState& state) {
  for (RunningStatistics& statistics : state.statistics) {
    for (std::size_t c = 0; c < statistics.running_mean.size(); ++c) {
      statistics.running_mean[c] = 0.1F + static_cast<float>(c);
      statistics.running_variance[c] = 1.7F * static_cast<float>(c + 1);
    }
  }
}

void expect_comes_back(const PrecisionPlan& plan) {
  const Graph graph = small_graph();
  const auto state = initialize(graph, 0.5, kSeed);
  fill_statistics(*state);
  make_working_weights(*state, plan, kSeed, 9);
  const auto stored = store_model(*state, plan);

  const auto loaded = initialize(graph, 0.5, kSeed + 1);
  const PrecisionPlan loaded_plan = load_model(stored, *loaded, graph.layers.size());
  EXPECT_EQ(loaded_plan.layers, plan.layers);
  for (std::size_t p = 0; p < state->parameters.size(); ++p) {
    const Parameter& before = state->parameters[p];
    const Parameter& after = loaded->parameters[p];
    EXPECT_EQ(to_vector(after.working), to_vector(before.working)) << before.name;
    EXPECT_EQ(to_vector(after.master), to_vector(before.working)) << before.name;
  }
  EXPECT_EQ(to_vector(loaded->statistics[0].running_mean), to_vector(state->statistics[0].running_mean));
  EXPECT_EQ(to_vector(loaded->statistics[0].running_variance),
            to_vector(state->statistics[0].running_variance));
}

TEST(ModelFile, ComesBackAsItWas) {
  for (const auto& [first, second] : {std::pair(8, 12), {2, 25}, {26, 32}, {0, 8}, {0, 0}}) {
    SCOPED_TRACE(concat(first, " and ", second, " bits"));
    expect_comes_back(plan_of(first, second));
  }
}

/// Under a per_tensor plan, biases and batch norms are float32; the formats of activations are kept with the
/// weights.
TEST(ModelFile, KeepsAllFormatsOfActivationsUnderAPerTensorPlan) {
  PrecisionPlan plan = plan_of(4, 6);
  plan.per_tensor = true;
  plan.layers[0].operands = FixedFormat{5, 1};
  expect_comes_back(plan);
}

TEST(ModelFile, KeepsIntegersOfTheFormat) {
  const Graph graph = small_graph();
  const auto state = initialize(graph, 0.5, kSeed);
  Parameter& weight = state->parameters[state->find("fc.weight")];
  std::fill(weight.master.begin(), weight.master.end(), 0.0F);
  weight.master[0] = 0.75F;
  weight.master[1] = -100.0F;
  PrecisionPlan plan = plan_of(0, 8);
  plan.layers[1].weights = FixedFormat{8, 4};
  make_working_weights(*state, plan, kSeed, 1);
  for (const ModelTensor& tensor : store_model(*state, plan)) {
    if (tensor.name == "fc.weight") {
      EXPECT_EQ(tensor.format, plan.layers[1].weights);
      EXPECT_EQ(tensor.integers[0], 12);
      EXPECT_EQ(tensor.integers[1], -128);
      EXPECT_EQ(tensor.integers[2], 0);
      EXPECT_TRUE(tensor.numbers.empty());
      EXPECT_EQ(tensor.dims, weight.dims);
    } else if (tensor.name == "conv.weight" || tensor.name == "bn.running_mean") {
      EXPECT_FALSE(tensor.format);
      EXPECT_TRUE(tensor.integers.empty());
    }
  }
}

std::string refusal(const std::vector<ModelTensor>& tensors) {
  const Graph graph = small_graph();
  const auto state = initialize(graph, 0.5, kSeed);
  try {
    load_model(tensors, *state, graph.layers.size());
  } catch (const BadInput& error) {
    return error.what();
  }
  return "";
}

TEST(ModelFile, MissingOrMisshapenTensorsAreNamed) {
  const Graph graph = small_graph();
  const auto stored = store_model(*initialize(graph, 0.5, kSeed), plan_of(0, 0));
  EXPECT_EQ(refusal(stored), "");
  for (std::size_t i = 0; i < stored.size(); ++i) {
    auto missing = stored;
    missing.erase(missing.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_NE(refusal(missing).find("'" + stored[i].name + "'"), std::string::npos);
    auto short_one = stored;
    short_one[i].numbers.pop_back();
    EXPECT_NE(refusal(short_one).find("'" + stored[i].name + "'"), std::string::npos);
  }
}

}  // namespace
}  // namespace adapt
