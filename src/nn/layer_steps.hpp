#pragma once

#include <vector>

#include "nn/executor.hpp"
#include "nn/graph.hpp"
#include "nn/network_memory.hpp"
#include "nn/parameters.hpp"

namespace adapt {

/// The steps of a graph without quantizations, one for each node: its layer, and the sums of gradients that
/// it completes. `state` and `memory` must outlive them.
std::vector<Step> layer_steps(const Graph& graph, ModelState& state, NetworkMemory& memory, bool training);

}  // namespace adapt
