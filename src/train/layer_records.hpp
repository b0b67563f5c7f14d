#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "control/controller.hpp"
#include "nn/layer.hpp"
#include "nn/parameters.hpp"
#include "record/run_log.hpp"

namespace adapt {

/// What step `step` computed the layers with, as rank 0's controller knows it.
std::vector<LayerRecord> layer_records(std::int64_t step, std::span<const LayerSnapshot> layers);

/// The same with what takes time to find out: the dead channels of the masters in `state`, and what tensors
/// lost, as `counted` by quantized layer.
void add_losses(std::vector<LayerRecord>& records, const ModelState& state,
                std::span<const LayerLossCounters> counted);

}  // namespace adapt
