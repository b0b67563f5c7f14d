#include "nn/passes/folding.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "nn/layers/full_map_convolution.hpp"

namespace adapt {
namespace {

/// Sums are below 2^31; what such a factor leaves of them is lost beside any other number.
constexpr double kNegligibleFactor = 1e-20;

const Parameter& parameter(const ModelState& state, const std::string& name) {
  return state.parameters[state.find(name)];
}

const RunningStatistics& statistics_of(const ModelState& state, const std::string& name) {
  const auto found = std::find_if(state.statistics.begin(), state.statistics.end(),
                                  [&](const RunningStatistics& item) { return item.name == name; });
  if (found == state.statistics.end()) {
    throw Failure(concat("the model has no running statistics of '", name, "'"));
  }
  return *found;
}

Shape flat(const Shape& shape) { return {shape.n, static_cast<int>(shape.elements() / shape.n), 1, 1}; }

/// Geometry and plain weights, before anything is folded in.
FoldedProduct plain_product(const Graph& graph, const FusedGroup& group, const ModelState& state) {
  const GraphNode& node = graph.nodes[group.node];
  FoldedProduct product;
  product.weights = parameter(state, node.name + ".weight").working;
  product.geometry = geometry_of(*node.op().product(), node.input, node.output);
  if (group.activation != 0) {
    product.activation = graph.nodes[group.activation].op().activation();
  }
  return product;
}

void repeat(std::vector<float>& values, std::size_t times) {
  const std::vector<float> once = values;
  values.clear();
  for (std::size_t i = 0; i < times; ++i) {
    values.insert(values.end(), once.begin(), once.end());
  }
}

/// A power of two of which a whole number of up to 24 bits makes `value`, rounded to float32.
float step_below(double value) {
  constexpr int kBits = 24;
  int exponent = kBits;  // of 0
  std::frexp(value, &exponent);
  return std::ldexp(1.0F, std::max(exponent - kBits, -100));
}

/// Calls `change(weight, channel)` for each weight.
template <class Change>
void each_weight(FoldedProduct& product, std::size_t channels, Change change) {
  const std::size_t window = product.weights.size() / channels;
  for (std::size_t i = 0; i < product.weights.size(); ++i) {
    change(product.weights[i], i / window);
  }
}

}  // namespace

Affine affine_of(const Graph& graph, const FusedGroup& group, const ModelState& state) {
  const GraphNode& node = graph.nodes[group.node];
  const auto channels = static_cast<std::size_t>(node.output.c);
  Affine affine = {std::vector<double>(channels, 1), std::vector<double>(channels, 0)};
  if (node.op().product()->bias) {
    const auto& bias = parameter(state, node.name + ".bias").working;
    std::copy(bias.begin(), bias.end(), affine.addend.begin());
  }
  if (group.normalization == 0) {
    return affine;
  }
  const GraphNode& normalization = graph.nodes[group.normalization];
  const double epsilon = normalization.op().normalization()->epsilon;
  const RunningStatistics& statistics = statistics_of(state, normalization.name);
  const auto& scale = parameter(state, normalization.name + ".scale").working;
  const auto& shift = parameter(state, normalization.name + ".shift").working;
  for (std::size_t c = 0; c < channels; ++c) {
    affine.factor[c] = scale[c] / std::sqrt(statistics.running_variance[c] + epsilon);
    affine.addend[c] = shift[c] + (affine.addend[c] - statistics.running_mean[c]) * affine.factor[c];
  }
  return affine;
}

FoldedProduct fold_floats(const Graph& graph, const FusedGroup& group, const ModelState& state) {
  const Affine affine = affine_of(graph, group, state);
  FoldedProduct product = plain_product(graph, group, state);
  each_weight(product, affine.factor.size(), [&](float& weight, std::size_t channel) {
    weight = static_cast<float>(weight * affine.factor[channel]);
  });
  product.addends.assign(affine.addend.begin(), affine.addend.end());
  return product;
}

FoldedProduct fold_bytes(const Graph& graph, const FusedGroup& group, const ModelState& state,
                         const ByteScales& scales) {
  const Affine affine = affine_of(graph, group, state);
  FoldedProduct product = plain_product(graph, group, state);
  product.integer = true;
  // Of a function that is not linear the argument is a real number, and its value is scaled.
  const bool scales_output = product.activation == Activation::tanh;
  const int destination = scales.destination.value_or(0);
  const int unit = scales_output ? 0 : destination;
  product.output_factor = scales_output ? std::ldexp(1.0F, destination) : 1.0F;
  product.residual_factor = std::ldexp(1.0F, unit - scales.residual.value_or(0));
  if (scales.operand) {
    product.operand_step = std::ldexp(1.0F, unit - *scales.operand);
  }
  const double step = std::ldexp(1.0, unit - scales.weights - scales.source);
  std::vector<bool> seen;
  for (std::size_t c = 0; c < affine.factor.size(); ++c) {
    const double addend = std::ldexp(affine.addend[c], unit);
    const double factor = affine.factor[c] * step;
    seen.push_back(std::abs(factor) > kNegligibleFactor);
    product.factors.push_back(seen[c] ? static_cast<float>(factor) : step_below(addend));
    product.addends.push_back(static_cast<float>(std::nearbyint(addend / product.factors[c])));
  }
  const float scale = std::ldexp(1.0F, scales.weights);
  each_weight(product, affine.factor.size(),
              [&](float& weight, std::size_t channel) { weight = seen[channel] ? weight * scale : 0.0F; });
  return product;
}

void flatten_full_map(const GraphNode& node, FoldedProduct& product) {
  const ProductTerms terms = *node.op().product();
  if (!is_full_map(terms, node.input, node.output)) {
    return;
  }
  FullMapExpansion expansion(*terms.window, node.input, node.output);
  AlignedVector<float> dense(expansion.rows() * expansion.columns());
  expansion.expand(product.weights, dense);
  product.weights = std::move(dense);
  repeat(product.factors, expansion.repetitions());
  repeat(product.addends, expansion.repetitions());
  product.geometry = {flat(node.input), flat(node.output)};
}

}  // namespace adapt
