#include "export/onnx_nodes.hpp"

#include "base/error.hpp"

namespace adapt {
namespace {

void add_pooling(OnnxModel& model, const GraphNode& node, const std::vector<std::string>& inputs,
                 const std::string& output) {
  const PoolingTerms terms = *node.pooling();
  if (terms.kind == Pooling::maximum) {
    set(model.add("MaxPool", inputs, output), terms.window);
  } else if (node.output.h == 1 && node.output.w == 1 && terms.window.kernel == node.input.h) {
    model.add("GlobalAveragePool", inputs, output);
  } else {
    set(model.add("AveragePool", inputs, output), terms.window);
  }
}

void add_normalization(OnnxModel& model, const ExportNetwork& network, const GraphNode& node,
                       std::vector<std::string> inputs, const std::string& output) {
  const RunningStatistics& statistics = network.statistics(node.name);
  const auto add = [&](const char* suffix, std::span<const float> values) {
    inputs.push_back(model.constant(node.name + suffix, {node.input.c}, values));
  };
  add(".scale", network.parameter(node.name + ".scale").working);
  add(".shift", network.parameter(node.name + ".shift").working);
  add(".running_mean", statistics.running_mean);
  add(".running_variance", statistics.running_variance);
  set(model.add("BatchNormalization", inputs, output), "epsilon",
      static_cast<float>(node.op().normalization()->epsilon));
}

}  // namespace

void add_operation(OnnxModel& model, const ExportNetwork& network, const GraphNode& node,
                   const std::vector<std::string>& inputs, const std::string& output) {
  const Operation& operation = node.op();
  if (node.pooling()) {
    add_pooling(model, node, inputs, output);
  } else if (operation.activation()) {
    model.add(*operation.activation() == Activation::relu ? "Relu" : "Tanh", inputs, output);
  } else if (operation.normalization()) {
    add_normalization(model, network, node, inputs, output);
  } else if (operation.is_sum()) {
    model.add("Add", inputs, output);
  } else if (operation.rests_at_inference()) {
    model.add("Identity", inputs, output);
  } else {
    throw BadInput(concat("layer '", node.name, "': ONNX has no word for a ", operation.kind(), " here"));
  }
}

void add_product(OnnxModel& model, const GraphNode& node, const std::vector<std::string>& inputs,
                 const std::string& output) {
  const ProductTerms terms = *node.op().product();
  if (!terms.window) {
    set(model.add("Gemm", inputs, output), "transB", std::int64_t{1});
    return;
  }
  onnx::NodeProto& conv = model.add("Conv", inputs, output);
  set(conv, *terms.window);
  set(conv, "group", std::int64_t{terms.groups});
}

std::string flattened(OnnxModel& model, const std::string& input, bool is_matrix, const std::string& output) {
  if (is_matrix) {
    return input;
  }
  model.add("Flatten", {input}, output);
  return output;
}

}  // namespace adapt
