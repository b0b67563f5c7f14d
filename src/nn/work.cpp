#include "nn/work.hpp"

namespace adapt {
namespace {

/// Multiply-adds and weights of a node's product; zero for other layers.
struct ProductSize {
  double madds = 0;
  double weights = 0;
};

ProductSize product_size(const GraphNode& node) {
  if (!node.op().product()) {
    return {};
  }
  const auto weights = static_cast<double>(node.parameters().front().elements());
  return {weights * node.output.n * node.output.h * node.output.w, weights};
}

double input_numbers(const GraphNode& node) {
  return static_cast<double>(node.input.elements()) * static_cast<double>(node.inputs.size());
}

}  // namespace

std::vector<LayerWork> forward_work(const Graph& graph, double bytes_per_number) {
  std::vector<LayerWork> work;
  for (const GraphNode& node : graph.nodes) {
    const auto [madds, weights] = product_size(node);
    const double numbers = input_numbers(node) + static_cast<double>(node.output.elements()) + weights;
    work.push_back({node.name, 2 * madds, bytes_per_number * numbers});
  }
  return work;
}

std::vector<LayerWork> backward_work(const Graph& graph, double bytes_per_number) {
  std::vector<LayerWork> work;
  for (const GraphNode& node : graph.nodes) {
    const auto [madds, weights] = product_size(node);
    const double input = input_numbers(node);
    const double numbers = static_cast<double>(node.output.elements()) + input +
                           (node.input_gradient ? input + weights : 0) + weights;
    work.push_back({node.name, 2 * madds * (node.input_gradient ? 2 : 1), bytes_per_number * numbers});
  }
  return work;
}

std::vector<LayerWork> inference_work(const InferencePlan& plan) {
  const auto size = [&plan](int index) {
    const InferenceValue& value = plan.values[static_cast<std::size_t>(index)];
    return static_cast<double>(value.shape.elements() * bytes_of(value.type));
  };
  std::vector<LayerWork> work;
  for (const InferenceStep& step : plan.steps) {
    const Shape& output = step.product.geometry.output;
    const auto weights = static_cast<double>(step.product.weights.size());
    const double places = static_cast<double>(output.n) * output.h * output.w;
    LayerWork item = {step.name, 2 * weights * places, size(step.destination)};
    for (const int source : step.sources) {
      item.bytes += size(source);
    }
    item.bytes += step.residual < 0 ? 0 : size(step.residual);
    const NumberType source_type = plan.values[static_cast<std::size_t>(step.sources[0])].type;
    item.bytes += weights * static_cast<double>(bytes_of(source_type));
    work.push_back(item);
  }
  return work;
}

}  // namespace adapt
