#include "nn/graph.hpp"

#include <algorithm>
#include <map>
#include <variant>

#include "base/error.hpp"

namespace adapt {
namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

std::string text(const Shape& s) { return concat("(", s.n, ", ", s.c, ", ", s.h, ", ", s.w, ")"); }

/// Places of a window of `kernel` along `size`, or an error that names the layer.
int window_places(const LayerNode& node, const Shape& input, int size, int kernel, int stride, int padding) {
  const int room = size + 2 * padding - kernel;
  if (room < 0) {
    throw BadInput(concat("layer '", node.name, "': kernel ", kernel, " with padding ", padding,
                          " does not fit its input ", text(input)));
  }
  return room / stride + 1;
}

Shape output_shape(const LayerNode& node, const Shape& in) {
  const auto places = [&](int size, int kernel, int stride, int padding) {
    return window_places(node, in, size, kernel, stride, padding);
  };
  return std::visit(
      Overloaded{
          [&](const ConvolutionSpec& s) -> Shape {
            return {in.n, s.channels, places(in.h, s.kernel, s.stride, s.padding),
                    places(in.w, s.kernel, s.stride, s.padding)};
          },
          [&](const LinearSpec& s) -> Shape {
            return {in.n, s.outputs, 1, 1};
          },
          [&](const PoolingSpec& s) -> Shape {
            return {in.n, in.c, places(in.h, s.kernel, s.stride, 0), places(in.w, s.kernel, s.stride, 0)};
          },
          [&](const auto& /*same shape*/) -> Shape { return in; },
      },
      node.spec);
}

bool is_product(const LayerSpec& spec) {
  return std::holds_alternative<ConvolutionSpec>(spec) || std::holds_alternative<LinearSpec>(spec);
}

/// Weights of a convolution or linear layer.
std::int64_t weight_count(const GraphNode& node) {
  if (const auto* convolution = std::get_if<ConvolutionSpec>(&node.spec)) {
    return std::int64_t{convolution->channels} * node.input.c * convolution->kernel * convolution->kernel;
  }
  return node.output.c * node.input.elements() / node.input.n;
}

class Lowering {
 public:
  Lowering(const Shape& image, bool quantized) : quantized_(quantized) {
    graph_.image = image;
    values_ = {0};
    has_parameters_ = {false};
  }

  void add(const LayerNode& node) {
    if (!is_product(node.spec)) {
      values_.push_back(append(node, mapped(node.inputs)));
      return;
    }
    layer_ = static_cast<int>(graph_.layers.size());
    graph_.layers.push_back({node.name, 0, 0});
    std::vector<int> inputs = mapped(node.inputs);
    if (quantized_) {
      inputs = {append({node.name + ".inputs", QuantizeSpec{true}, {}}, inputs)};
    }
    int value = append(node, inputs);
    const GraphNode& product = graph_.nodes.back();
    QuantizedLayer& layer = graph_.layers.back();
    layer.parameters = weight_count(product);
    layer.madds = layer.parameters * product.output.h * product.output.w;
    if (quantized_) {
      value = append({node.name + ".outputs", QuantizeSpec{false}, {}}, {value});
    }
    values_.push_back(value);
  }

  Graph take() { return std::move(graph_); }

 private:
  /// Values of the description, as values of the graph.
  std::vector<int> mapped(const std::vector<int>& inputs) const {
    std::vector<int> out;
    out.reserve(inputs.size());
    for (const int input : inputs) {
      out.push_back(values_.at(static_cast<std::size_t>(input)));
    }
    return out;
  }

  int append(const LayerNode& source, const std::vector<int>& inputs) {
    GraphNode node;
    node.name = source.name;
    node.spec = source.spec;
    node.inputs = inputs;
    node.input = graph_.shape(inputs.front());
    node.output = output_shape(source, node.input);
    for (const int input : inputs) {
      if (graph_.shape(input) != node.input) {
        throw BadInput(concat("layer '", node.name, "': its inputs differ in shape, ", text(node.input),
                              " and ", text(graph_.shape(input))));
      }
      node.input_gradient = node.input_gradient || has_parameters_[static_cast<std::size_t>(input)];
    }
    const bool normalizes = std::holds_alternative<BatchNormSpec>(node.spec);
    const bool belongs =
        is_product(node.spec) || normalizes || std::holds_alternative<QuantizeSpec>(node.spec);
    if (belongs) {
      node.layer = layer_;
    }
    graph_.nodes.push_back(node);
    has_parameters_.push_back(node.input_gradient || is_product(node.spec) || normalizes);
    return static_cast<int>(graph_.nodes.size());
  }

  bool quantized_;
  int layer_ = -1;
  Graph graph_;
  std::vector<int> values_;           // value of the description -> value of the graph
  std::vector<bool> has_parameters_;  // by value of the graph: parameters stand before it
};

void check_names(const ModelDescription& model) {
  std::map<std::string, int> seen;
  for (const LayerNode& node : model.nodes) {
    if (++seen[node.name] > 1) {
      throw BadInput(concat("model '", model.name, "': two layers are called '", node.name, "'"));
    }
  }
}

}  // namespace

const Shape& Graph::shape(int value) const {
  return value == 0 ? image : nodes.at(static_cast<std::size_t>(value - 1)).output;
}

int Graph::readers(int value) const {
  std::int64_t count = 0;
  for (const GraphNode& node : nodes) {
    count += std::count(node.inputs.begin(), node.inputs.end(), value);
  }
  return static_cast<int>(count);
}

Graph lower(const ModelDescription& model, const Shape& image, bool quantized) {
  check_names(model);
  Lowering lowering(image, quantized);
  for (const LayerNode& node : model.nodes) {
    lowering.add(node);
  }
  return lowering.take();
}

bool backward_reads_output(const LayerSpec& spec) { return std::holds_alternative<ActivationSpec>(spec); }

bool works_in_place(const LayerSpec& spec) {
  return std::holds_alternative<ActivationSpec>(spec) || std::holds_alternative<QuantizeSpec>(spec) ||
         std::holds_alternative<AddSpec>(spec);
}

bool backward_is_identity(const LayerSpec& spec) {
  return std::holds_alternative<QuantizeSpec>(spec) || std::holds_alternative<AddSpec>(spec);
}

}  // namespace adapt
