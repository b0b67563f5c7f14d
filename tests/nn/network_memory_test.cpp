// Values take memory only while they are needed, and a network that changes its arithmetic computes what one
// that never did computes.

#include "nn/network_memory.hpp"

#include <gtest/gtest.h>

#include <set>

#include "base/error.hpp"
#include "nn/kernels/onednn.hpp"
#include "nn/models.hpp"
#include "nn/passes/lower.hpp"
#include "numerics/quantize.hpp"
#include "small_model.hpp"
#include "support/model_builder.hpp"

namespace adapt {
namespace {

using test::SmallModel;

const Shape kImages = {4, 3, 8, 8};

/// Residual sums, batch norms, pools, and products of several kinds.
ModelDescription branches() {
  ModelBuilder builder("m");
  builder.convolution("conv1", {.channels = 16, .kernel = 3, .padding = 1}).batch_norm("bn1").relu();
  const int trunk = builder.value();
  builder.convolution("conv2", {.channels = 16, .kernel = 3, .padding = 1})
      .batch_norm("bn2")
      .add("sum", trunk)
      .relu();
  return builder.max_pool(2)
      .convolution("conv3", {.channels = 8, .kernel = 1})
      .relu()
      .linear("fc", 5)
      .build();
}

/// Each tensor's format has `word_length` bits.
PrecisionPlan plan_of(const Graph& graph, int word_length) {
  PrecisionPlan plan;
  const FixedFormat format = {word_length, word_length - 3};
  plan.layers.resize(graph.layers.size());
  for (LayerFormats& layer : plan.layers) {
    layer = {.weights = format,
             .inputs = format,
             .outputs = format,
             .operands = format,
             .activation_gradients = format};
  }
  return plan;
}

TEST(NetworkMemory, AfterAPassOnlyTheLogitsAreLeft) {
  for (const bool quantized : {false, true}) {
    SmallModel model(branches(), kImages, true, quantized);
    const std::size_t logits = model.state->values->used();
    EXPECT_GE(logits, model.network.logits().size_bytes());
    PrecisionPlan plan = plan_of(model.graph, 12);
    Pass pass;
    pass.plan = quantized ? &plan : nullptr;
    model.network.forward(model.images, model.labels, pass);
    EXPECT_GT(model.state->values->used(), 4 * logits);
    model.network.backward(pass);
    EXPECT_EQ(model.state->values->used(), logits);
  }
}

class LifetimesOf : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Quantized, LifetimesOf, testing::Bool());

TEST_P(LifetimesOf, NothingEndsBeforeItsLastReader) {
  const Graph graph = lower(branches(), kImages, GetParam());
  const MemoryPlan plan = plan_memory(graph, true);
  const Lifetimes lifetimes = find_lifetimes(graph, plan, true, {});
  std::set<int> ended;
  const auto expect_there = [&](int buffer, const GraphNode& node) {
    EXPECT_TRUE(buffer < 0 || !ended.contains(buffer)) << "buffer " << buffer << " of " << node.name;
  };
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const int input : graph.nodes[i].inputs) {
      expect_there(plan.data[static_cast<std::size_t>(input)], graph.nodes[i]);
    }
    expect_there(plan.data[i + 1], graph.nodes[i]);
    ended.insert(lifetimes.end_forward[i].begin(), lifetimes.end_forward[i].end());
  }
  for (std::size_t i = graph.nodes.size(); i-- > 0;) {
    const GraphNode& node = graph.nodes[i];
    if (node.op().backward().input) {
      expect_there(plan.data[static_cast<std::size_t>(node.inputs.front())], node);
    }
    if (node.op().backward().output) {
      expect_there(plan.data[i + 1], node);
    }
    expect_there(plan.gradient[i + 1], node);
    for (const InputGradient& action : plan.inputs[i]) {
      expect_there(action.written, node);
      expect_there(action.previous, node);
      expect_there(action.sum, node);
    }
    ended.insert(lifetimes.end_backward[i].begin(), lifetimes.end_backward[i].end());
  }
  EXPECT_EQ(ended.size() + 1, plan.sizes.size()) << "all end but the logits";
}

/// The models of the program on the images that they are made for.
struct ModelCase {
  const char* name;
  int side;
  int channels;
};
constexpr ModelCase kModels[] = {
    {"lenet5", 28, 1}, {"alexnet", 32, 3}, {"alexnet", 28, 1}, {"resnet20", 32, 3}};

/// Most that the arena of a network held in forward and backward of 4 images.
std::size_t measured(const Graph& graph, bool training, Arithmetic arithmetic) {
  const auto state = initialize(graph, 1.0, 7);
  Network network(graph, state, training, arithmetic);
  const AlignedVector<float> images(static_cast<std::size_t>(graph.image.elements()), 0.1F);
  const std::vector<std::int32_t> labels(static_cast<std::size_t>(graph.image.n), 1);
  PrecisionPlan plan = plan_of(graph, 12);
  Pass pass;
  pass.plan = arithmetic == Arithmetic::bfloat16 ? nullptr : &plan;
  network.forward(images, labels, pass);
  if (training) {
    network.backward(pass);
  }
  return state->values->most_used();
}

TEST(ValueBytes, IsWhatANetworkTakes) {
  for (const ModelCase& model : kModels) {
    for (const bool training : {true, false}) {
      for (const bool quantized : {true, false}) {
        const Graph graph =
            lower(make_model(model.name, 10), {4, model.channels, model.side, model.side}, quantized);
        const auto estimate = static_cast<double>(value_bytes(graph, training, Arithmetic::emulated));
        const auto taken = static_cast<double>(measured(graph, training, Arithmetic::emulated));
        const std::string what =
            concat(model.name, training ? " trained" : " evaluated", quantized ? ", quantized" : "");
        EXPECT_GE((quantized ? 1.03 : 1.01) * estimate, taken) << what;  // signs of ReLU are not counted
        EXPECT_LE(estimate, (quantized ? 1.25 : 1.01) * taken) << what;
      }
    }
  }
}

TEST(ValueBytes, OfHalfTheSizeTakeHalf) {
  const Graph graph = lower(make_model("resnet20", 10), {4, 3, 32, 32}, false);
  const auto casts = graph.image.elements() * 2 + 2 * graph.nodes.back().output.elements() * 4;
  EXPECT_EQ(2 * (value_bytes(graph, true, Arithmetic::bfloat16) - casts),
            value_bytes(graph, true, Arithmetic::emulated));
}

TEST(Network, SaysWhenMemoryEnds) {
  // More than an address space has: where the maxima stood, a byte each.
  constexpr int kSide = 1 << 22;
  ModelBuilder builder("m");
  builder.max_pool(2).convolution("conv", {.channels = 2, .kernel = 1, .stride = kSide / 2});
  const Graph graph = lower(builder.build(), {1, 64, kSide, kSide}, false);
  const auto state = initialize(graph, 1.0, 7);
  EXPECT_THROW(Network(graph, state, true), std::bad_alloc);
}

/// Loss and gradients of one pass with formats of `word_length` bits.
std::vector<float> run(Network& network, SmallModel& model, int word_length, bool is_emulated = false) {
  PrecisionPlan plan = plan_of(model.graph, word_length);
  for (Parameter& parameter : model.state->parameters) {
    if (parameter.role == ParameterRole::weight) {
      quantize(parameter.master, parameter.working, *plan.layers.front().weights, Rounding::nearest, {});
      ++parameter.version;
    }
  }
  Pass pass;
  pass.seed = 9;
  pass.plan = &plan;
  EXPECT_EQ(network.integer_layers(pass), word_length > 16 || is_emulated ? 0 : 4);
  std::vector<float> results = {static_cast<float>(network.forward(model.images, model.labels, pass).loss)};
  network.backward(pass);
  for (const Parameter& parameter : model.state->parameters) {
    results.insert(results.end(), parameter.gradient.begin(), parameter.gradient.end());
  }
  return results;
}

TEST(NetworkMemory, AChangeOfArithmeticLeavesNothingBehind) {
  SmallModel model(branches(), kImages, true, true);
  Network changing(model.graph, model.state, true, Arithmetic::integer);
  const std::size_t idle = model.state->values->used();
  for (const int word_length : {8, 12, 8, 20, 12, 16, 20}) {
    Network fresh(model.graph, model.state, true, Arithmetic::integer);
    EXPECT_EQ(run(changing, model, word_length), run(fresh, model, word_length)) << word_length;
  }
  EXPECT_EQ(model.state->values->used(), idle);
}

TEST(NetworkMemory, IntegersMeanWhatEmulatedNumbersDoWhereFloat32SumsAreExact) {
  SmallModel model(branches(), kImages, true, true);
  Network integer(model.graph, model.state, true, Arithmetic::integer);
  Network emulated(model.graph, model.state, true, Arithmetic::emulated);
  for (const int word_length : {8, 9, 10}) {
    EXPECT_EQ(run(integer, model, word_length), run(emulated, model, word_length, true)) << word_length;
  }
  EXPECT_NE(run(integer, model, 16), run(emulated, model, 16, true));
}

TEST(NetworkMemory, BytesTakeLessThanHalfTheMemory) {
  SmallModel model(branches(), {64, 3, 8, 8}, true, true);
  Network network(model.graph, model.state, true, Arithmetic::integer);
  const auto after_forward = [&](int word_length) {
    const std::size_t idle = model.state->values->used();
    PrecisionPlan plan = plan_of(model.graph, word_length);
    Pass pass;
    pass.plan = &plan;
    network.forward(model.images, model.labels, pass);
    const std::size_t used = model.state->values->used() - idle;
    network.backward(pass);
    return used;
  };
  const std::size_t floats = after_forward(12);
  EXPECT_LT(after_forward(8), floats / 2);
}

}  // namespace
}  // namespace adapt
