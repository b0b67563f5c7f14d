// The dense form of a convolution against oneDNN's convolution, on small integers: float32 sums of them are
// exact, so equality is asked for.

#include "nn/layers/full_map_convolution.hpp"

#include <gtest/gtest.h>

#include "nn/kernels/onednn.hpp"
#include "nn/layers/product.hpp"
#include "numerics/random.hpp"
#include "support/model_builder.hpp"

namespace adapt {
namespace {

struct Case {
  Shape input;
  ConvolutionOptions spec;

  [[nodiscard]] ProductTerms terms() const {
    return {Window{spec.kernel, spec.stride, spec.padding}, spec.bias, spec.groups};
  }
};

GraphNode node_of(const Case& a_case) {
  GraphNode node;
  node.operation = ModelBuilder("one").convolution("a", a_case.spec).build().nodes.front().operation;
  node.input = a_case.input;
  node.output = node.op().output(a_case.input);
  return node;
}

void fill(std::span<float> values, RandomSequence& random) {
  for (float& value : values) {
    value = static_cast<float>(random.below(15)) - 7.0F;
  }
}

/// One layer with its memory and parameters, run forward and backward once.
struct LayerRun {
  template <class Make>
  LayerRun(const Case& a_case, const Make& make) {
    const GraphNode node = node_of(a_case);
    RandomSequence random({.seed = 3});
    const auto elements = [](const Shape& shape) { return static_cast<std::size_t>(shape.elements()); };
    source.resize(elements(node.input));
    source_gradient.resize(source.size());
    destination.resize(elements(node.output));
    destination_gradient.resize(destination.size());
    const ConvolutionOptions& options = a_case.spec;
    weight.dims = {options.channels, node.input.c, options.kernel, options.kernel};
    bias.dims = {options.channels};
    weight.working.resize(static_cast<std::size_t>(node.op().parameters(node.input).front().elements()));
    bias.working.resize(static_cast<std::size_t>(options.channels));
    for (Parameter* parameter : {&weight, &bias}) {
      parameter->gradient.resize(parameter->working.size());
      parameter->version = 1;
    }
    const LayerMemory memory = memory_for(node);
    const auto layer =
        make(a_case.terms(), LayerParts{node.input, node.output, memory, {}, nullptr, /*training=*/true},
             weight, options.bias ? &bias : nullptr);
    Pass pass;
    for (int repetition = 0; repetition < 2; ++repetition) {  // new weights must be noticed
      fill(source, random);
      fill(weight.working, random);
      fill(bias.working, random);
      fill(destination_gradient, random);
      ++weight.version;
      ++bias.version;
      layer->forward(pass);
      layer->backward(pass);
    }
  }

  LayerMemory memory_for(const GraphNode& node) {
    const auto view = [](AlignedVector<float>& values, const Shape& shape) {
      return dnnl::memory(onednn::activation(shape.n, shape.c, shape.h, shape.w), onednn::engine(),
                          values.data());
    };
    return {{view(source, node.input)},
            view(destination, node.output),
            {view(source_gradient, node.input)},
            view(destination_gradient, node.output)};
  }

  AlignedVector<float> source, destination, source_gradient, destination_gradient;
  Parameter weight, bias;
};

class FullMapConvolution : public testing::TestWithParam<Case> {};

TEST_P(FullMapConvolution, EqualsTheConvolution) {
  const GraphNode node = node_of(GetParam());
  ASSERT_TRUE(is_full_map(GetParam().terms(), node.input, node.output));
  const LayerRun reference(GetParam(), make_convolution);
  const LayerRun dense(GetParam(), make_full_map_convolution);
  EXPECT_EQ(dense.destination, reference.destination);
  EXPECT_EQ(dense.source_gradient, reference.source_gradient);
  EXPECT_EQ(dense.weight.gradient, reference.weight.gradient);
  if (GetParam().spec.bias) {
    EXPECT_EQ(dense.bias.gradient, reference.bias.gradient);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, FullMapConvolution,
    testing::Values(Case{{4, 70, 2, 2}, {.channels = 9, .kernel = 3, .padding = 1}},
                    Case{{3, 5, 2, 2}, {.channels = 4, .kernel = 3, .padding = 1, .bias = false}},
                    Case{{2, 3, 1, 2}, {.channels = 6, .kernel = 3, .padding = 1}},
                    Case{{2, 3, 2, 2}, {.channels = 6, .kernel = 3, .stride = 2, .padding = 1}},
                    Case{{2, 7, 2, 2}, {.channels = 5, .kernel = 2}},
                    Case{{1, 1, 1, 1}, {.channels = 1, .kernel = 3, .padding = 1}}));

TEST(IsFullMap, OnlyWhereEachWindowReadsTheWholeMap) {
  const auto covers = [](const Shape& input, int kernel, int padding, int groups = 1) {
    const Window window = {.kernel = kernel, .stride = 1, .padding = padding};
    return is_full_map({window, true, groups}, input, window.output(input, 2));
  };
  EXPECT_TRUE(covers({1, 2, 2, 2}, 3, 1));
  EXPECT_FALSE(covers({1, 2, 2, 2}, 3, 1, 2)) << "an output reads its group only";
  EXPECT_FALSE(covers({1, 1, 3, 3}, 3, 1)) << "the window of a corner does not reach the opposite one";
  EXPECT_FALSE(covers({1, 1, 2, 2}, 1, 0));
  EXPECT_FALSE(covers({1, 1, 2, 4}, 3, 1));
  EXPECT_FALSE(covers({1, 1, 3, 3}, 5, 2)) << "the dense form would be more than three times as large";
}

}  // namespace
}  // namespace adapt
