// "hierarchical": first the ranks of a node add up among themselves, by messages through shared memory, each
// of some of them one slice of the array; then the ranks that have the same slice add up over the nodes by
// the tree; then each node spreads its slices. So the network carries what one rank of a node would send,
// and the work of packing and adding is shared by the node's ranks.
//
// Nodes may have different numbers of ranks, in any placement: there are as many slices as the smallest node
// has ranks, or fewer where slices would be so short that their messages cost more than the work they share.

#include <algorithm>
#include <map>

#include "exchange/algorithm.hpp"

namespace adapt {
namespace {

/// Fewest blocks of a slice: 16 thousand numbers, which take longer to add than a message takes to start.
constexpr std::size_t kSliceBlocks = 64;

/// The outer plan with `inner` between its ways there and back.
SumPlan around(SumPlan outer, const SumPlan& inner) {
  outer.reduce.insert(outer.reduce.end(), inner.reduce.begin(), inner.reduce.end());
  outer.spread.insert(outer.spread.begin(), inner.spread.begin(), inner.spread.end());
  outer.own = inner.own;
  return outer;
}

}  // namespace

SumPlan make_hierarchical_plan(const SumTask& task) {
  std::map<int, std::vector<int>> by_node;
  for (std::size_t rank = 0; rank < task.nodes.size(); ++rank) {
    by_node[task.nodes[rank]].push_back(static_cast<int>(rank));
  }
  std::size_t smallest = task.nodes.size();
  for (const auto& [node, members] : by_node) {
    smallest = std::min(smallest, members.size());
  }
  const std::size_t slices = std::clamp<std::size_t>(task.blocks / kSliceBlocks, 1, smallest);
  const int own_node = task.nodes[static_cast<std::size_t>(task.rank)];
  SumGroup on_node = {by_node[own_node], 0, {0, task.blocks}};
  const auto self = std::ranges::find(on_node.members, task.rank);
  on_node.self = static_cast<std::size_t>(self - on_node.members.begin());
  const SumPlan outer = direct_plan(on_node, slices);
  if (on_node.self >= slices) {
    return outer;
  }
  SumGroup of_slice = {{}, 0, outer.own};
  for (const auto& [node, members] : by_node) {
    if (node == own_node) {
      of_slice.self = of_slice.members.size();
    }
    of_slice.members.push_back(members[on_node.self]);
  }
  return around(outer, tree_plan(of_slice));
}

}  // namespace adapt
