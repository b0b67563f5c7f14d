#include "train/model_file.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <span>
#include <string>

#include "base/error.hpp"
#include "base/suggest.hpp"
#include "control/working_weights.hpp"
#include "numerics/quantize.hpp"
#include "record/weights_file.hpp"

namespace adapt {
namespace {

ModelTensor store_numbers(const std::string& name, const AlignedVector<float>& values) {
  return {name, {static_cast<std::int64_t>(values.size())}, std::nullopt, {}, {values.begin(), values.end()}};
}

ModelTensor store(const Parameter& parameter, const std::optional<FixedFormat>& format) {
  ModelTensor tensor = {parameter.name, parameter.dims, format, {}, {}};
  if (!format) {
    tensor.numbers.assign(parameter.working.begin(), parameter.working.end());
    return tensor;
  }
  // The working copy is on the grid: rounding changes nothing.
  tensor.integers.resize(parameter.working.size());
  quantize_to_integers(parameter.working, tensor.integers, *format, Rounding::nearest, {});
  return tensor;
}

/// The layer's formats, if the parameter is its weight.
void store_activation_formats(const Parameter& parameter, const PrecisionPlan& plan, ModelTensor& tensor) {
  if (!is_layer_weight(parameter)) {
    return;
  }
  const LayerFormats& formats = plan.layers.at(static_cast<std::size_t>(parameter.layer));
  tensor.inputs = formats.inputs;
  tensor.outputs = formats.outputs;
  tensor.operands = formats.operands;
}

using TensorsByName = std::map<std::string, const ModelTensor*>;

/// Finds the tensor `name`, checks that it has as many values as `values`, all finite, and puts them there.
const ModelTensor& load(const TensorsByName& tensors, const std::string& name, std::span<float> values) {
  const auto found = tensors.find(name);
  if (found == tensors.end()) {
    throw BadInput(concat("the stored model has no tensor '", name, "'"));
  }
  const ModelTensor& tensor = *found->second;
  const std::size_t size = tensor.format ? tensor.integers.size() : tensor.numbers.size();
  if (size != values.size()) {
    throw BadInput(
        concat("stored tensor '", name, "' has ", size, " values; the model expects ", values.size()));
  }
  if (tensor.format) {
    dequantize(tensor.integers, values, tensor.format->step());
  } else {
    std::copy(tensor.numbers.begin(), tensor.numbers.end(), values.begin());
  }
  const auto wrong =
      std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
  if (wrong != values.end()) {
    throw BadInput(concat("stored tensor '", name, "' holds ", *wrong, " at element ", wrong - values.begin(),
                          "; expected a model of finite numbers"));
  }
  return tensor;
}

using Dims = std::vector<std::int64_t>;

/// "(16, 3, 3, 3)".
std::string text_of(const Dims& dims) {
  std::string text;
  for (const std::int64_t dim : dims) {
    text += concat(text.empty() ? "" : ", ", dim);
  }
  return concat("(", text, ")");
}

/// The shape of each tensor that a stored model has, by name.
std::map<std::string, Dims> shapes_of(const ModelState& state) {
  std::map<std::string, Dims> shapes;
  for (const Parameter& parameter : state.parameters) {
    shapes[parameter.name] = parameter.dims;
  }
  for (const RunningStatistics& statistics : state.statistics) {
    const Dims channels = {static_cast<std::int64_t>(statistics.running_mean.size())};
    shapes[statistics.name + ".running_mean"] = channels;
    shapes[statistics.name + ".running_variance"] = channels;
  }
  return shapes;
}

/// Throws BadInput, naming `source`, where tensors are not some of the model's, each once and of its shape.
void check_fit(const std::vector<ModelTensor>& tensors, const std::string& source, const ModelState& state) {
  const std::map<std::string, Dims> shapes = shapes_of(state);
  std::vector<std::string> names;
  for (const auto& [name, dims] : shapes) {
    names.push_back(name);
  }
  std::set<std::string> seen;
  for (const ModelTensor& tensor : tensors) {
    const auto found = shapes.find(tensor.name);
    if (found == shapes.end()) {
      throw BadInput(
          concat(source, ": the model has no tensor ", "'", tensor.name, "'", name_hint(tensor.name, names)));
    }
    if (tensor.dims != found->second) {
      throw BadInput(concat(source, ": '", tensor.name, "' has the shape ", text_of(tensor.dims),
                            "; expected that of the model's, ", text_of(found->second)));
    }
    if (!seen.insert(tensor.name).second) {
      throw BadInput(
          concat(source, ": '", tensor.name, "' is there twice, if under two names; expected it once"));
    }
  }
}

/// Of linear layers behind maps, whose weights are (O, C · H · W), as (O, H · W · C).
void put_channels_last(std::vector<ModelTensor>& tensors, const Graph& graph) {
  for (ModelTensor& tensor : tensors) {
    const auto layer = std::ranges::find_if(
        graph.nodes, [&](const GraphNode& node) { return node.name + ".weight" == tensor.name; });
    if (layer == graph.nodes.end() || tensor.dims.size() != 2) {
      continue;
    }
    const auto channels = static_cast<std::size_t>(layer->input.c);
    const std::size_t pixels =
        static_cast<std::size_t>(layer->input.h) * static_cast<std::size_t>(layer->input.w);
    const std::vector<float> theirs = tensor.numbers;
    for (std::size_t i = 0; i < theirs.size(); ++i) {
      const std::size_t feature = i % (channels * pixels);
      tensor.numbers[i - feature + feature % pixels * channels + feature / pixels] = theirs[i];
    }
  }
}

}  // namespace

std::vector<ModelTensor> store_model(const ModelState& state, const PrecisionPlan& plan) {
  std::vector<ModelTensor> tensors;
  for (const Parameter& parameter : state.parameters) {
    tensors.push_back(store(parameter, working_format(parameter, plan)));
    store_activation_formats(parameter, plan, tensors.back());
  }
  for (const RunningStatistics& statistics : state.statistics) {
    tensors.push_back(store_numbers(statistics.name + ".running_mean", statistics.running_mean));
    tensors.push_back(store_numbers(statistics.name + ".running_variance", statistics.running_variance));
  }
  return tensors;
}

PrecisionPlan load_model(const std::vector<ModelTensor>& tensors, ModelState& state, std::size_t layers) {
  TensorsByName by_name;
  for (const ModelTensor& tensor : tensors) {
    by_name[tensor.name] = &tensor;
  }
  PrecisionPlan plan;
  plan.layers.resize(layers);
  for (Parameter& parameter : state.parameters) {
    const ModelTensor& tensor = load(by_name, parameter.name, parameter.master);
    use_master(parameter);
    if (!is_layer_weight(parameter)) {
      continue;
    }
    plan.layers.at(static_cast<std::size_t>(parameter.layer)) = {.weights = tensor.format,
                                                                 .inputs = tensor.inputs,
                                                                 .outputs = tensor.outputs,
                                                                 .operands = tensor.operands};
  }
  for (RunningStatistics& statistics : state.statistics) {
    load(by_name, statistics.name + ".running_mean", statistics.running_mean);
    load(by_name, statistics.name + ".running_variance", statistics.running_variance);
    if (std::ranges::any_of(statistics.running_variance, [](float value) { return value < 0; })) {
      throw BadInput(concat("stored tensor '", statistics.name,
                            ".running_variance' holds a negative number; expected variances"));
    }
  }
  return plan;
}

std::shared_ptr<ModelState> initial_state(const Graph& graph, const ModelOptions& options,
                                          std::uint64_t seed) {
  auto state = initialize(graph, options.init_scale, seed);
  if (options.weights.empty()) {
    return state;
  }
  StartingWeights weights = read_weights(options.weights, options.weights_sha256);
  std::vector<ModelTensor>& tensors = weights.tensors;
  check_fit(tensors, options.weights, *state);
  if (weights.channels_first) {
    put_channels_last(tensors, graph);
  }
  try {
    load_model(tensors, *state, graph.layers.size());
  } catch (const BadInput& error) {
    throw BadInput(concat(options.weights, ": ", error.what()));
  }
  return state;
}

}  // namespace adapt
