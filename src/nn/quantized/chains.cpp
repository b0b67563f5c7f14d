#include "nn/quantized/chains.hpp"

#include <algorithm>

namespace adapt {
namespace {

/// The one node that reads what `node` makes, or 0.
std::size_t only_reader(const Graph& graph, std::size_t node) {
  const auto readers = readers_of(graph, node);
  return readers.size() == 1 ? readers.front() : 0;
}

bool is_operand(const GraphNode& node) { return node.op().quantization() == QuantizePlace::operand; }

bool is_relu(const GraphNode& node) { return node.op().activation() == Activation::relu; }

bool only_operands_between(const Graph& graph, std::size_t before, std::size_t after) {
  for (std::size_t i = before + 1; i < after; ++i) {
    if (!is_operand(graph.nodes[i])) {
      return false;
    }
  }
  return true;
}

Chain chain_from(const Graph& graph, std::size_t normalization) {
  Chain chain = {.normalization = normalization};
  const std::size_t operand = only_reader(graph, normalization);
  if (operand == normalization + 1 && is_operand(graph.nodes[operand])) {
    const std::size_t sum = only_reader(graph, operand);
    if (sum != 0 && graph.nodes[sum].op().is_sum() && only_operands_between(graph, normalization, sum)) {
      chain.operand = operand;
      chain.sum = sum;
    }
  }
  const std::size_t end = chain.last();
  const std::size_t relu = only_reader(graph, end);
  if (relu == end + 1 && is_relu(graph.nodes[relu])) {
    chain.relu = relu;
  }
  return chain;
}

}  // namespace

std::vector<std::size_t> readers_of(const Graph& graph, std::size_t node) {
  std::vector<std::size_t> readers;
  const int value = static_cast<int>(node) + 1;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (std::ranges::find(graph.nodes[i].inputs, value) != graph.nodes[i].inputs.end()) {
      readers.push_back(i);
    }
  }
  return readers;
}

std::vector<Chain> find_chains(const Graph& graph) {
  std::vector<Chain> chains;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (graph.nodes[i].op().normalization()) {
      chains.push_back(chain_from(graph, i));
    }
  }
  return chains;
}

}  // namespace adapt
