#include "export/network.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace adapt {

ExportNetwork::ExportNetwork(StoredNetwork network)
    : stored(std::move(network)),
      inference(
          plan_inference(stored.graph, *stored.state, NumberType::float32, &stored.plan, FullMaps::kept)),
      groups_(fuse(stored.graph)) {}

const FusedGroup& ExportNetwork::group_of(const InferenceStep& step) const {
  return *std::ranges::find(groups_, step.node, &FusedGroup::node);
}

const LayerFormats& ExportNetwork::formats_of(const GraphNode& product) const {
  return stored.plan.layers.at(static_cast<std::size_t>(product.layer));
}

const Parameter& ExportNetwork::parameter(const std::string& name) const {
  return stored.state->parameters[stored.state->find(name)];
}

const RunningStatistics& ExportNetwork::statistics(const std::string& name) const {
  const auto found = std::ranges::find(stored.state->statistics, name, &RunningStatistics::name);
  if (found == stored.state->statistics.end()) {
    throw Failure(concat("the model has no running statistics of '", name, "'"));
  }
  return *found;
}

std::string bits_of(const std::optional<FixedFormat>& format) {
  return format ? concat(format->word_length) : "float32";
}

}  // namespace adapt
