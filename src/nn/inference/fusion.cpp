#include "nn/inference/fusion.hpp"

#include "nn/quantized/chains.hpp"

namespace adapt {
namespace {

bool is_product(const GraphNode& node) {
  return std::holds_alternative<ConvolutionSpec>(node.spec) || std::holds_alternative<LinearSpec>(node.spec);
}

/// The one node that reads what `node` makes, if it is a `Spec`; else 0.
template <class Spec>
std::size_t only_reader(const Graph& graph, std::size_t node) {
  const auto readers = readers_of(graph, node);
  const bool fits = readers.size() == 1 && std::holds_alternative<Spec>(graph.nodes[readers.front()].spec);
  return fits ? readers.front() : 0;
}

/// The operand of `sum` that is not `value`.
int other_operand(const GraphNode& sum, int value) {
  return sum.inputs[0] == value ? sum.inputs[1] : sum.inputs[0];
}

FusedGroup group_of(const Graph& graph, std::size_t node) {
  FusedGroup group = {.node = node, .last = node};
  if (!is_product(graph.nodes[node])) {
    return group;
  }
  group.normalization = only_reader<BatchNormSpec>(graph, group.last);
  group.last = group.normalization != 0 ? group.normalization : group.last;
  if (const std::size_t sum = only_reader<AddSpec>(graph, group.last); sum != 0) {
    const int other = other_operand(graph.nodes[sum], group.result());
    if (other <= static_cast<int>(node)) {
      group.sum = sum;
      group.residual = other;
      group.last = sum;
    }
  }
  group.activation = only_reader<ActivationSpec>(graph, group.last);
  group.last = group.activation != 0 ? group.activation : group.last;
  return group;
}

}  // namespace

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
