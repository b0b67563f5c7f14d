#pragma once

#include <cstddef>
#include <vector>

#include "nn/graph.hpp"
#include "nn/passes/memory_plan.hpp"

namespace adapt {

// Nodes that are worked off as one. 0 stands for no node: node 0 is never one of them.

/// Of a quantized graph: a convolution or linear layer between its two quantizations.
struct ProductGroup {
  std::size_t inputs = 0;  ///< the quantization before it; this one may be node 0
  std::size_t product = 0;
  std::size_t outputs = 0;  ///< the quantization behind it
};

/// The products of a quantized graph, in its order.
std::vector<ProductGroup> product_groups(const Graph& graph);

/// Of a quantized graph: a batch norm and the nodes behind it, the quantization of its output to a residual
/// operand and the sum (both or none), and ReLU.
struct NormalizationGroup {
  std::size_t normalization = 0;
  std::size_t operand = 0;
  std::size_t sum = 0;
  std::size_t relu = 0;

  /// The end, whose output is the group's.
  [[nodiscard]] std::size_t last() const { return relu != 0 ? relu : sum != 0 ? sum : normalization; }
};

/// The batch norms of a quantized graph, in its order.
std::vector<NormalizationGroup> normalization_groups(const Graph& graph);

/// The same as what find_lifetimes() takes; of a graph without quantizations none.
std::vector<JoinedNodes> joined_nodes(const Graph& graph);

/// Of a graph without quantizations: a node and what a product can do on the way behind it.
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
