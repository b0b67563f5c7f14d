#include "nn/passes/lower.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "base/error.hpp"
#include "nn/ops/registry.hpp"

namespace adapt {
namespace {

bool is_product(const Operation& operation) { return operation.product().has_value(); }

/// The start of a message about a layer.
std::string words_of(const LayerNode& node) {
  return concat(node.place, node.place.empty() ? "" : ": ", "layer '", node.name, "'");
}

Shape output_of(const LayerNode& node, const Shape& input) {
  try {
    return node.operation->output(input);
  } catch (const BadInput& error) {
    throw BadInput(concat(words_of(node), ": ", error.what()));
  }
}

bool takes(const LayerNode& node, const Shape& input) {
  try {
    static_cast<void>(node.operation->output(input));
    return true;
  } catch (const BadInput&) {
    return false;
  }
}

/// What lowering knows of a value of the graph.
struct ValueFacts {
  bool has_parameters = false;  ///< parameters stand before it
  bool on_grid = false;         ///< its numbers are on a known fixed-point grid
  int layer = -1;               ///< quantized layer it comes from
};

class Lowering {
 public:
  Lowering(const Shape& image, bool quantized, std::size_t layers)
      : quantized_(quantized), stands_for_({0}), is_read_(layers + 1) {
    graph_.image = image;
    graph_.readers.resize(1);
    values_ = {0};
    facts_ = {{}};
  }

  void add(const LayerNode& node) {
    place_ = node.place;
    std::vector<int> inputs = mapped(node.inputs);
    if (node.is_optional && !takes(node, graph_.shape(inputs.front()))) {
      values_.push_back(inputs.front());
      stands_for_.push_back(stands_for_[static_cast<std::size_t>(node.inputs.front())]);
      return;
    }
    for (const int input : node.inputs) {
      is_read_[static_cast<std::size_t>(stands_for_[static_cast<std::size_t>(input)])] = true;
    }
    stands_for_.push_back(static_cast<int>(values_.size()));
    if (is_product(*node.operation)) {
      values_.push_back(add_product(node, inputs));
      return;
    }
    if (quantized_ && node.operation->is_sum()) {
      for (int& input : inputs) {
        input = on_grid(node, input);
      }
    }
    values_.push_back(append(node, inputs));
  }

  /// Throws BadInput unless the last layer ends the network and all others are read.
  Graph take(const ModelDescription& model) {
    const auto last = static_cast<std::size_t>(stands_for_.back());
    if (last == 0) {
      throw BadInput(concat("model '", model.name, "': has no layer for images of ", text_of(graph_.image)));
    }
    for (std::size_t i = 0; i < model.nodes.size(); ++i) {
      const bool is_left_out = stands_for_[i + 1] != static_cast<int>(i) + 1;
      if (!is_left_out && i + 1 != last && !is_read_[i + 1]) {
        throw BadInput(
            concat(words_of(model.nodes[i]), ": nobody reads it; expected a later layer that does"));
      }
    }
    find_normalized();
    return std::move(graph_);
  }

 private:
  [[nodiscard]] const ValueFacts& facts(int value) const { return facts_[static_cast<std::size_t>(value)]; }

  /// Values of the description, as values of the graph.
  [[nodiscard]] std::vector<int> mapped(const std::vector<int>& inputs) const {
    std::vector<int> out;
    out.reserve(inputs.size());
    for (const int input : inputs) {
      out.push_back(values_.at(static_cast<std::size_t>(input)));
    }
    return out;
  }

  int add_product(const LayerNode& node, const std::vector<int>& inputs) {
    layer_ = static_cast<int>(graph_.layers.size());
    graph_.layers.push_back(
        {.name = node.name, .reads_image = inputs.front() == 0, .reads_average = is_average(inputs.front())});
    int value =
        quantized_ ? quantize(node.name + ".inputs", QuantizePlace::inputs, inputs.front()) : inputs.front();
    value = append(node, {value});
    const GraphNode& product = graph_.nodes.back();
    QuantizedLayer& layer = graph_.layers.back();
    layer.parameters = product.parameters().front().elements();
    layer.madds = layer.parameters * product.output.h * product.output.w;
    return quantized_ ? quantize(node.name + ".outputs", QuantizePlace::outputs, value) : value;
  }

  /// Of which layers a batch norm, and nobody else, reads the outputs.
  void find_normalized() {
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      const GraphNode& node = graph_.nodes[i];
      const bool makes_outputs =
          quantized_ ? node.op().quantization() == QuantizePlace::outputs : is_product(node.op());
      const auto& readers = graph_.readers_of(i);
      if (makes_outputs && readers.size() == 1) {
        graph_.layers[static_cast<std::size_t>(node.layer)].is_normalized =
            graph_.nodes[readers.front()].op().normalization().has_value();
      }
    }
  }

  [[nodiscard]] bool is_average(int value) const {
    const auto pooling =
        value == 0 ? std::nullopt : graph_.nodes[static_cast<std::size_t>(value - 1)].pooling();
    return pooling && pooling->kind == Pooling::average;
  }

  /// Refuses what no machine could hold, before sizes are multiplied as integers.
  void check_size(const LayerNode& source, const GraphNode& node) {
    constexpr double kMost = 72057594037927936;  // 2^56 of all layers together
    double work = 1;
    for (const ParameterShape& parameter : node.parameters()) {
      double size = 1;
      for (const std::int64_t dim : parameter.dims) {
        size *= static_cast<double>(dim);
      }
      work = std::max(work, size);
    }
    const Shape& out = node.output;
    size_ += work * out.h * out.w + static_cast<double>(out.n) * out.c * out.h * out.w;
    if (size_ > kMost) {
      throw BadInput(
          concat(words_of(source), ": more numbers and multiply-adds than any machine could handle"));
    }
  }

  [[nodiscard]] std::string name_of(int value) const {
    return value == 0 ? "the image"
                      : concat("'", graph_.nodes[static_cast<std::size_t>(value - 1)].name, "'");
  }

  /// `value`, or a copy of it on the grid of the layer it comes from.
  int on_grid(const LayerNode& sum, int value) {
    const ValueFacts& known = facts(value);
    if (known.on_grid || known.layer < 0) {
      return value;
    }
    layer_ = known.layer;
    const bool first = value == mapped(sum.inputs).front();
    return quantize(sum.name + (first ? ".operand1" : ".operand2"), QuantizePlace::operand, value);
  }

  int quantize(const std::string& name, QuantizePlace place, int value) {
    return append({.name = name, .operation = ops::quantization(place), .inputs = {}, .place = place_},
                  {value});
  }

  int append(const LayerNode& source, const std::vector<int>& inputs) {
    GraphNode node;
    node.name = source.name;
    node.operation = source.operation;
    node.place = source.place;
    node.inputs = inputs;
    node.input = graph_.shape(inputs.front());
    node.output = output_of(source, node.input);
    check_size(source, node);
    const bool is_quantization = node.op().quantization().has_value();
    const bool normalizes = node.op().normalization().has_value();
    ValueFacts result = {false, node.op().keeps_grid(), facts(inputs.front()).layer};
    for (const int input : inputs) {
      if (graph_.shape(input) != node.input) {
        throw BadInput(concat(words_of(source), " wants ", text_of(node.input), ", as from ",
                              name_of(inputs.front()), ", and gets ", text_of(graph_.shape(input)), " from ",
                              name_of(input)));
      }
      node.input_gradient = node.input_gradient || facts(input).has_parameters;
      result.on_grid = result.on_grid && (is_quantization || facts(input).on_grid);
    }
    if (is_product(node.op()) || is_quantization) {
      node.layer = layer_;
    } else if (normalizes) {
      node.layer = result.layer;
    }
    if (is_product(node.op())) {
      result.layer = layer_;
    }
    result.has_parameters = node.input_gradient || !node.parameters().empty();
    for (const int input : inputs) {
      graph_.readers[static_cast<std::size_t>(input)].push_back(graph_.nodes.size());
    }
    graph_.readers.emplace_back();
    graph_.nodes.push_back(node);
    facts_.push_back(result);
    return static_cast<int>(graph_.nodes.size());
  }

  bool quantized_;
  double size_ = 0;    // numbers and multiply-adds so far
  int layer_ = -1;     // that quantizations and the product are for
  std::string place_;  // of what is added
  Graph graph_;
  std::vector<int> values_;      // value of the description -> value of the graph
  std::vector<int> stands_for_;  // by value of the description: itself, or what a layer that is left out read
  std::vector<bool> is_read_;    // by value of the description
  std::vector<ValueFacts> facts_;  // by value of the graph
};

void check_names(const ModelDescription& model) {
  std::map<std::string, int> seen;
  for (const LayerNode& node : model.nodes) {
    if (++seen[node.name] > 1) {
      throw BadInput(concat(node.place, node.place.empty() ? "" : ": ", "model '", model.name,
                            "': two layers are called '", node.name, "'"));
    }
  }
}

}  // namespace

Graph lower(const ModelDescription& model, const Shape& image, bool quantized) {
  check_names(model);
  Lowering lowering(image, quantized, model.nodes.size());
  for (const LayerNode& node : model.nodes) {
    lowering.add(node);
  }
  return lowering.take(model);
}

}  // namespace adapt
