#pragma once

#include <cstdint>
#include <vector>

#include "nn/graph.hpp"

namespace adapt {

/// Where the gradient of one input of a node goes. Numbers are buffers of the plan, -1 is none.
struct InputGradient {
  int written = -1;  ///< backward of the node writes here; the buffer of its output's gradient where backward
                     ///< is the identity
  int previous = -1;  ///< present when another reader of the value came first: then sum = previous + written
  int sum = -1;
};

/// Which buffer holds what. Activations are kept until backward has read them; gradients live from the reader
/// to the writer of their value and then leave their buffer to others, so that a shard's working set stays
/// small.
struct MemoryPlan {
  std::vector<std::int64_t> sizes;  ///< elements of each buffer
  std::vector<int> data;            ///< by value; value 0 (the image) has none, the caller owns it
  std::vector<int> gradient;  ///< by value: where its complete gradient stands when its writer runs backward
  std::vector<std::vector<InputGradient>> inputs;  ///< by node and input
};

/// Plans the memory of a graph, for training (backward follows) or inference.
MemoryPlan plan_memory(const Graph& graph, bool training);

}  // namespace adapt
