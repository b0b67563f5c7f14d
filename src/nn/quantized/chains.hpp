#pragma once

#include <cstddef>
#include <vector>

#include "nn/graph.hpp"

namespace adapt {

/// A batch norm and the nodes behind it that are worked off together with it: the quantization of its output
/// to a residual operand and the sum (both or none), and ReLU. 0 stands for none: node 0 is never one of
/// them.
struct Chain {
  std::size_t normalization = 0;
  std::size_t operand = 0;
  std::size_t sum = 0;
  std::size_t relu = 0;

  [[nodiscard]] std::size_t last() const { return relu != 0 ? relu : sum != 0 ? sum : normalization; }
};

/// The chains of a quantized graph, in its order.
std::vector<Chain> find_chains(const Graph& graph);

/// The nodes that read what `node` makes.
std::vector<std::size_t> readers_of(const Graph& graph, std::size_t node);

}  // namespace adapt
