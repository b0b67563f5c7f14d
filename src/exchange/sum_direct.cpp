// "direct": each rank sends every other one the part that is the other's, and gets the sums of the others'
// parts: N - 1 messages each way, one after the other, in a single round trip. Each message is as narrow as
// one rank's numbers. The best for few ranks, or for long arrays on a fast network.

#include "exchange/algorithm.hpp"

namespace adapt {

SumPlan direct_plan(const SumGroup& group, std::size_t owners) {
  const std::size_t members = group.members.size();
  const auto part = [&](std::size_t i) {
    return i < owners ? part_of(group.range, i, owners) : BlockRange{};
  };
  Round reduce;
  Round spread;
  Message others;                                                   // all of them, for this rank's part
  for (std::size_t distance = 1; distance < members; ++distance) {  // not all ranks to the same one at once
    const std::size_t i = (group.self + distance) % members;
    Message theirs = {{group.members[i]}, {}};
    append(theirs, part(i));
    append(reduce.sends, theirs);
    append(spread.receives, theirs);
    others.peers.push_back(group.members[i]);
  }
  append(others, part(group.self));
  append(reduce.receives, others);
  append(spread.sends, others);
  return {{reduce}, part(group.self), {spread}};
}

SumPlan make_direct_plan(const SumTask& task) { return direct_plan(whole_group(task), task.nodes.size()); }

}  // namespace adapt
