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

/// Which values and gradients share a buffer, because one is computed in the place of the other.
struct MemoryPlan {
  std::vector<std::int64_t> sizes;  ///< elements of each buffer
  std::vector<int> data;            ///< by value; value 0 (the image) has none, the caller owns it
  std::vector<int> gradient;  ///< by value: where its complete gradient stands when its writer runs backward
  std::vector<std::vector<InputGradient>> inputs;  ///< by node and input; empty at inference

  /// What backward of a node does for its input `k`.
  [[nodiscard]] InputGradient input_gradient(std::size_t node, std::size_t k) const {
    return inputs[node].empty() ? InputGradient{} : inputs[node][k];
  }
};

/// Plans the memory of a graph, for training (backward follows) or inference.
MemoryPlan plan_memory(const Graph& graph, bool training);

/// Nodes of a graph that work as one: what they need is there until the work of the last of them is done.
/// Backward reads none of their outputs.
struct JoinedNodes {
  std::size_t first = 0;
  std::size_t last = 0;
};

/// After which node nobody needs a buffer any more, in forward or in backward (by node, lists of buffers).
/// The output of the last node, the logits, is in none.
struct Lifetimes {
  std::vector<std::vector<int>> end_forward;
  std::vector<std::vector<int>> end_backward;
};

/// The lifetimes of a plan that was made for the same arguments.
Lifetimes find_lifetimes(const Graph& graph, const MemoryPlan& plan, bool training,
                         const std::vector<JoinedNodes>& joined);

/// Most elements that the buffers of the plan hold at a time when the nodes are worked off in order, the
/// logits included. Joined nodes write the output of the last of them only, and at once what layers quantize
/// from it.
std::int64_t most_elements(const Graph& graph, bool training, const std::vector<JoinedNodes>& joined);

}  // namespace adapt
