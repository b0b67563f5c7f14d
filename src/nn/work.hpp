#pragma once

#include <string>
#include <vector>

#include "nn/graph.hpp"
#include "nn/passes/inference_plan.hpp"

namespace adapt {

/// What a layer has to do at least, whatever executes it.
struct LayerWork {
  std::string name;
  double operations = 0;  ///< of its product: two for each multiply-add; other layers are bound by memory
  double bytes = 0;       ///< that it reads and writes: activations once each, weights once
};

/// By node of a graph: forward with activations and weights of `bytes_per_number`.
std::vector<LayerWork> forward_work(const Graph& graph, double bytes_per_number);

/// The same for backward: gradients of the weights, and of the input where it is wanted. Both read one
/// activation and the output's gradient.
std::vector<LayerWork> backward_work(const Graph& graph, double bytes_per_number);

/// By step of a plan, in the types that its values have.
std::vector<LayerWork> inference_work(const InferencePlan& plan);

}  // namespace adapt
