#pragma once

#include <cstddef>
#include <vector>

#include "nn/graph.hpp"

namespace adapt {

/// A node of a graph and the nodes behind it that a product can do on the way. 0 stands for none: node 0 is
/// never one of them.
struct FusedGroup {
  std::size_t node = 0;
  std::size_t normalization = 0;
  std::size_t sum = 0;
  int residual = -1;  ///< with `sum`: the other operand
  std::size_t activation = 0;
  std::size_t last = 0;  ///< whose output is the group's

  [[nodiscard]] int result() const { return static_cast<int>(last) + 1; }
};

/// The nodes of a graph without quantizations in groups, in an order in which they can be run: behind a
/// convolution or linear layer its batch norm, a sum with a value that is there before, and an activation
/// function, where nobody else reads what is between.
std::vector<FusedGroup> fuse(const Graph& graph);

/// By value: the groups that read it, as a source or as a residual.
std::vector<std::vector<std::size_t>> group_readers(const Graph& graph,
                                                    const std::vector<FusedGroup>& groups);

}  // namespace adapt
