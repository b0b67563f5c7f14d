#include "nn/passes/fusion.hpp"

#include <algorithm>

namespace adapt {
namespace {

bool is_normalization(const Operation& operation) { return operation.normalization().has_value(); }
bool is_sum(const Operation& operation) { return operation.is_sum(); }
bool is_activation(const Operation& operation) { return operation.activation().has_value(); }
bool is_relu(const Operation& operation) { return operation.activation() == Activation::relu; }
bool is_operand(const Operation& operation) { return operation.quantization() == QuantizePlace::operand; }

/// The one node that reads what `node` makes, if it `fits`; else 0.
std::size_t only_reader(const Graph& graph, std::size_t node, bool (*fits)(const Operation&)) {
  const auto& readers = graph.readers_of(node);
  return readers.size() == 1 && fits(graph.nodes[readers.front()].op()) ? readers.front() : 0;
}

/// The operand of `sum` that is not `value`.
int other_operand(const GraphNode& sum, int value) {
  return sum.inputs[0] == value ? sum.inputs[1] : sum.inputs[0];
}

FusedGroup group_of(const Graph& graph, std::size_t node) {
  FusedGroup group = {.node = node, .last = node};
  if (!graph.nodes[node].op().product()) {
    return group;
  }
  group.normalization = only_reader(graph, group.last, is_normalization);
  group.last = group.normalization != 0 ? group.normalization : group.last;
  if (const std::size_t sum = only_reader(graph, group.last, is_sum); sum != 0) {
    const int other = other_operand(graph.nodes[sum], group.result());
    if (other <= static_cast<int>(node)) {
      group.sum = sum;
      group.residual = other;
      group.last = sum;
    }
  }
  group.activation = only_reader(graph, group.last, is_activation);
  group.last = group.activation != 0 ? group.activation : group.last;
  return group;
}

bool only_operands_between(const Graph& graph, std::size_t before, std::size_t after) {
  return std::all_of(graph.nodes.begin() + static_cast<std::ptrdiff_t>(before) + 1,
                     graph.nodes.begin() + static_cast<std::ptrdiff_t>(after),
                     [](const GraphNode& node) { return is_operand(node.op()); });
}

NormalizationGroup normalization_group(const Graph& graph, std::size_t normalization) {
  NormalizationGroup group = {.normalization = normalization};
  const std::size_t operand = only_reader(graph, normalization, is_operand);
  if (operand == normalization + 1) {
    const std::size_t sum = only_reader(graph, operand, is_sum);
    if (sum != 0 && only_operands_between(graph, normalization, sum)) {
      group.operand = operand;
      group.sum = sum;
    }
  }
  const std::size_t end = group.last();
  const std::size_t relu = only_reader(graph, end, is_relu);
  if (relu == end + 1) {
    group.relu = relu;
  }
  return group;
}

}  // namespace

std::vector<ProductGroup> product_groups(const Graph& graph) {
  std::vector<ProductGroup> groups;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (graph.nodes[i].op().product()) {
      const auto inputs = static_cast<std::size_t>(graph.nodes[i].inputs.front()) - 1;
      groups.push_back({inputs, i, graph.readers_of(i).front()});
    }
  }
  return groups;
}

std::vector<NormalizationGroup> normalization_groups(const Graph& graph) {
  std::vector<NormalizationGroup> groups;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (graph.nodes[i].op().normalization()) {
      groups.push_back(normalization_group(graph, i));
    }
  }
  return groups;
}

std::vector<JoinedNodes> joined_nodes(const Graph& graph) {
  std::vector<JoinedNodes> joined;
  if (graph.is_quantized()) {
    for (const NormalizationGroup& group : normalization_groups(graph)) {
      joined.push_back({group.normalization, group.last()});
    }
  }
  return joined;
}

std::vector<FusedGroup> fuse(const Graph& graph) {
  std::vector<bool> done(graph.nodes.size());
  std::vector<FusedGroup> groups;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (done[i]) {
      continue;
    }
    groups.push_back(group_of(graph, i));
    for (const std::size_t member :
         {groups.back().normalization, groups.back().sum, groups.back().activation}) {
      done[member] = done[member] || member != 0;
    }
  }
  return groups;
}

std::vector<std::vector<std::size_t>> group_readers(const Graph& graph,
                                                    const std::vector<FusedGroup>& groups) {
  std::vector<std::vector<std::size_t>> readers(graph.nodes.size() + 1);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (const int source : graph.nodes[groups[g].node].inputs) {
      readers[static_cast<std::size_t>(source)].push_back(g);
    }
    if (groups[g].residual >= 0) {
      readers[static_cast<std::size_t>(groups[g].residual)].push_back(g);
    }
  }
  return readers;
}

}  // namespace adapt
