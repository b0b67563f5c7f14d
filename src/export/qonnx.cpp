#include <algorithm>

#include "base/error.hpp"
#include "export/onnx_nodes.hpp"
#include "export/registry.hpp"

namespace adapt {
namespace {

constexpr const char* kDomain = "qonnx.custom_op.general";

/// Writes the quantized graph, node by node, with Quant nodes where it quantizes.
class QuantExporter {
 public:
  explicit QuantExporter(const ExportNetwork& network)
      : network_(network),
        graph_(network.stored.quantized),
        model_(network.stored.name, graph_.image),
        is_matrix_(graph_.nodes.size() + 1) {
    names_.emplace_back("images");
  }

  ExportedFile run() {
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      add(graph_.nodes[i]);
      is_matrix_[i + 1] = is_linear(graph_.nodes[i]) || is_matrix_[at(graph_.nodes[i].inputs.front())];
    }
    if (!is_matrix_.back()) {
      throw BadInput(concat("layer '", graph_.nodes.back().name, "': expected a linear layer at the end"));
    }
    model_.add("Identity", {names_.back()}, "logits");
    model_.note("network", network_.stored.text);
    return {model_.finish(graph_.nodes.back().output.c), std::move(layers_)};
  }

 private:
  static std::size_t at(int value) { return static_cast<std::size_t>(value); }
  [[nodiscard]] static bool is_linear(const GraphNode& node) {
    return node.op().product() && !node.op().product()->window;
  }

  void add(const GraphNode& node) {
    std::vector<std::string> inputs;
    for (const int input : node.inputs) {
      inputs.push_back(names_[at(input)]);
    }
    if (node.op().quantization()) {
      names_.push_back(quantized(node, inputs.front()));
      return;
    }
    if (node.op().product()) {
      add_layer(node, inputs.front());
    } else {
      add_operation(model_, network_, node, inputs, node.name);
    }
    names_.push_back(node.name);
  }

  /// An activation on the grid that its layer has for this place; without one, as it is.
  std::string quantized(const GraphNode& node, const std::string& input) {
    const LayerFormats& formats = network_.formats_of(node);
    const QuantizePlace place = *node.op().quantization();
    const auto& format = place == QuantizePlace::inputs    ? formats.inputs
                         : place == QuantizePlace::outputs ? formats.outputs
                                                           : formats.operands;
    if (!format) {
      return input;
    }
    const Shape& s = node.output;
    const bool is_matrix = is_matrix_[at(node.inputs.front())];
    return quant(input, *format, node.name,
                 is_matrix ? OnnxModel::Dims{-1, s.c} : OnnxModel::Dims{-1, s.c, s.h, s.w});
  }

  std::string quant(const std::string& input, FixedFormat format, const std::string& output,
                    const OnnxModel::Dims& dims) {
    const std::string bits = model_.number(static_cast<float>(format.word_length));
    onnx::NodeProto& node =
        model_.add(kDomain, "Quant", {input, model_.number(format.step()), model_.number(0), bits}, output);
    set(node, "signed", std::int64_t{1});
    set(node, "narrow", std::int64_t{0});
    set(node, "rounding_mode", "HALF_EVEN");
    model_.declare(output, dims);
    return output;
  }

  /// A parameter tensor under its name, on its grid where it has one.
  std::string parameter(const std::string& name, const std::vector<float>& values) {
    const OnnxModel::Dims& dims = network_.parameter(name).dims;
    const auto stored = std::ranges::find(network_.stored.tensors, name, &ModelTensor::name);
    model_.constant(name, dims, std::span<const float>(values));
    return stored->format ? quant(name, *stored->format, name + ".quant", dims) : name;
  }

  void add_layer(const GraphNode& node, const std::string& source) {
    const auto copied = [&](const std::string& name) {
      const auto& working = network_.parameter(name).working;
      return std::vector<float>(working.begin(), working.end());
    };
    const std::string weights = node.name + ".weight";
    const std::string bias = node.name + ".bias";
    OnnxModel::Names inputs = {
        is_linear(node) ? flattened(model_, source, is_matrix_[at(node.inputs.front())], node.name + ".flat")
                        : source};
    inputs.push_back(
        parameter(weights, is_linear(node) ? channels_first(copied(weights), node.input) : copied(weights)));
    if (node.op().product()->bias) {
      inputs.push_back(parameter(bias, copied(bias)));
    }
    add_product(model_, node, inputs, node.name);
    const LayerFormats& formats = network_.formats_of(node);
    layers_.push_back(
        {node.name,
         concat(bits_of(formats.weights), ", ", bits_of(formats.inputs), ", ", bits_of(formats.outputs)),
         formats.weights ? "Quant on weights, inputs, outputs" : "float32"});
  }

  const ExportNetwork& network_;
  const Graph& graph_;
  OnnxModel model_;
  std::vector<bool> is_matrix_;     // by value: (N, features), not (N, C, H, W)
  std::vector<std::string> names_;  // by value
  std::vector<ExportedLayer> layers_;
};

}  // namespace

/// ONNX, opset 13, with the operator Quant of QONNX (Pappalardo et al. 2022): each tensor at its own word
/// length, as training evaluates the model (engine emulated). Batch norm is kept.
ExportedFile export_qonnx(const ExportNetwork& network) { return QuantExporter(network).run(); }

}  // namespace adapt
