#include "base/json.hpp"
#include "export/network.hpp"
#include "export/registry.hpp"
#include "record/npz.hpp"

namespace adapt {
namespace {

constexpr int kVersion = 1;

Json json_of(const FixedFormat& format) {
  return Json::array({format.word_length, format.fractional_length});
}

/// [WL, FL] of the tensor and of the activations of its layer, where they have formats.
Json formats_json(const ModelTensor& tensor) {
  Json formats = Json::object();
  const auto add = [&](const char* name, const std::optional<FixedFormat>& format) {
    if (format) {
      formats[name] = json_of(*format);
    }
  };
  add("format", tensor.format);
  add("inputs", tensor.inputs);
  add("outputs", tensor.outputs);
  add("operands", tensor.operands);
  return formats;
}

Json window_json(int kernel, int stride, int padding, int groups) {
  return {{"kernel", kernel}, {"stride", stride}, {"padding", padding}, {"groups", groups}};
}

const char* type_name(NumberType type) {
  switch (type) {
    case NumberType::signed_byte:
      return "int8";
    case NumberType::unsigned_byte:
      return "uint8";
    default:
      return "float32";
  }
}

const char* name_of(Activation activation) { return activation == Activation::relu ? "relu" : "tanh"; }

/// What stands in a step of its own, in float32.
void add_layer(const GraphNode& node, Json& step) {
  const Operation& operation = node.op();
  if (operation.activation()) {
    step["kind"] = name_of(*operation.activation());
  } else if (operation.normalization()) {
    step["kind"] = "batch_norm";
    step["epsilon"] = operation.normalization()->epsilon;
  } else if (operation.is_sum()) {
    step["kind"] = "add";
  } else if (operation.rests_at_inference()) {
    step["kind"] = "identity";
  } else {
    throw BadInput(concat("layer '", node.name, "': arrays have no word for a ", operation.kind()));
  }
}

void add_product(const ExportNetwork& network, const InferenceStep& from, Json& step) {
  const Graph& graph = network.stored.graph;
  const FusedGroup& group = network.group_of(from);
  const GraphNode& node = graph.nodes[group.node];
  const ProductTerms terms = *node.op().product();
  step["kind"] = terms.window ? "convolution" : "linear";
  step["integer"] = from.product.integer;
  step["bias"] = terms.bias;
  if (terms.window) {
    step["window"] =
        window_json(terms.window->kernel, terms.window->stride, terms.window->padding, terms.groups);
  }
  if (group.normalization != 0) {
    const GraphNode& normalization = graph.nodes[group.normalization];
    step["batch_norm"] = normalization.name;
    step["epsilon"] = normalization.op().normalization()->epsilon;
  }
  if (from.residual >= 0) {
    step["residual"] = from.residual;
  }
  if (from.operand_length) {
    step["operand_fractional_length"] = *from.operand_length;
  }
  if (from.product.activation) {
    step["activation"] = name_of(*from.product.activation);
  }
}

Json step_json(const ExportNetwork& network, const InferenceStep& from) {
  const GraphNode& node = network.stored.graph.nodes[from.node];
  Json step = {
      {"name", from.name}, {"kind", "convert"}, {"sources", from.sources}, {"destination", from.destination}};
  if (from.kind == InferenceStep::Kind::product) {
    add_product(network, from, step);
  } else if (from.kind == InferenceStep::Kind::pool) {
    const PoolingTerms terms = *node.pooling();
    step["kind"] = terms.kind == Pooling::average ? "average_pool" : "max_pool";
    step["window"] = window_json(terms.window.kernel, terms.window.stride, terms.window.padding, 1);
  } else if (from.kind == InferenceStep::Kind::layer) {
    add_layer(node, step);
  }
  return step;
}

/// Everything but the numbers.
std::string description_of(const ExportNetwork& network) {
  Json tensors = Json::object();
  for (const ModelTensor& tensor : network.stored.tensors) {
    add_member(tensors, tensor.name, formats_json(tensor));
  }
  Json values = Json::array();
  for (const InferenceValue& value : network.inference.values) {
    values.push_back({{"type", type_name(value.type)},
                      {"fractional_length", value.fractional_length},
                      {"shape", {value.shape.h, value.shape.w, value.shape.c}}});
  }
  Json steps = Json::array();
  for (const InferenceStep& step : network.inference.steps) {
    steps.push_back(step_json(network, step));
  }
  return json_text({{"format", "adapt arrays"},
                    {"version", kVersion},
                    {"model", network.stored.name},
                    {"tensors", tensors},
                    {"values", values},
                    {"steps", steps}});
}

}  // namespace

/// NumPy's archive: each tensor of run.h5 under its name, integers in the smallest type that holds them;
/// `graph`, the network as a model file; and `network`, JSON: the tensors' formats, and the inference step by
/// step as engine integer runs it (src/export/README.md).
ExportedFile export_arrays(const ExportNetwork& network) {
  ExportedFile file;
  std::vector<NpzArray> arrays = {npz_text("graph", network.stored.text),
                                  npz_text("network", description_of(network))};
  for (const ModelTensor& tensor : network.stored.tensors) {
    arrays.push_back(tensor.format ? npz_integers(tensor.name, tensor.dims, tensor.integers)
                                   : npz_array<float>(tensor.name, "<f4", tensor.dims, tensor.numbers));
  }
  for (const GraphNode& node : network.stored.graph.nodes) {
    if (node.op().product()) {
      const auto& formats = network.formats_of(node);
      file.layers.push_back({node.name, concat(bits_of(formats.weights), ", ", bits_of(formats.inputs)),
                             formats.weights ? "integers" : "float32"});
    }
  }
  file.bytes = npz_bytes(arrays);
  return file;
}

}  // namespace adapt
