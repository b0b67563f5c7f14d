#include "train/layer_records.hpp"

#include <cstddef>

#include "nn/dead_channels.hpp"

namespace adapt {
namespace {

LayerLosses losses_of(const LayerLossCounters& counters) {
  return {.weights = counters.weights.loss(),
          .inputs = counters.inputs.loss(),
          .outputs = counters.outputs.loss(),
          .gradients = counters.gradients.loss(),
          .operands = counters.operands.loss(),
          .activation_gradients = counters.activation_gradients.loss()};
}

}  // namespace

std::vector<LayerRecord> layer_records(std::int64_t step, std::span<const LayerSnapshot> layers) {
  std::vector<LayerRecord> records;
  records.reserve(layers.size());
  for (const LayerSnapshot& layer : layers) {
    records.push_back({.step = step,
                       .formats = layer.formats,
                       .state = layer.state,
                       .density = layer.density,
                       .dead_channels = 0,
                       .losses = {}});
  }
  return records;
}

void add_losses(std::vector<LayerRecord>& records, const ModelState& state,
                std::span<const LayerLossCounters> counted) {
  const std::vector<double> dead = dead_channels(state, records.size());
  for (std::size_t layer = 0; layer < records.size(); ++layer) {
    records[layer].dead_channels = dead[layer];
    records[layer].losses = losses_of(counted[layer]);
  }
}

}  // namespace adapt
