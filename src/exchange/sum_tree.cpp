// "tree": recursive halving for any number of ranks, powers of two or not, after J. L. Traeff, "Optimal,
// Non-pipelined Reduce-scatter and Allreduce Algorithms" (2024, doi 10.34726/10760): the ranks stand in a
// ring, and each sees the parts of the array in the order of the ring from its own one on. Of the parts it
// still keeps it sends the farther half to the rank whose own part is the first of them, until only its own
// is left; ceil(log2 N) messages with N - 1 parts in all, the least that a sum can take. The way back is the
// same backwards.
//
// The parts of the round i (from 1) are sums over at most 2^(i-1) ranks, one bit wider each time, while half
// as many travel: of b-bit numbers sum (b + i - 1) / 2^i < b + 1 bits for each number in all, whatever N.

#include "exchange/algorithm.hpp"

namespace adapt {
namespace {

/// Parts `first` to `first + count - 1`, counted round the ring; each member owns one.
std::vector<BlockRange> ring_parts(const SumGroup& group, std::size_t first, std::size_t count) {
  const std::size_t members = group.members.size();
  const auto begin_of = [&](std::size_t i) { return group.range.first + group.range.count * i / members; };
  const auto between = [&](std::size_t from, std::size_t to) {
    return BlockRange{begin_of(from), begin_of(to) - begin_of(from)};
  };
  Message parts;
  const std::size_t from = first % members;
  if (from + count <= members) {
    append(parts, between(from, from + count));
  } else {
    append(parts, between(from, members));
    append(parts, between(0, from + count - members));
  }
  return parts.blocks;
}

}  // namespace

SumPlan tree_plan(const SumGroup& group) {
  const std::size_t members = group.members.size();
  SumPlan plan;
  plan.own = part_of(group.range, group.self, members);
  for (std::size_t kept = members; kept > 1;) {
    const std::size_t left = (kept + 1) / 2;
    const int ahead = group.members[(group.self + left) % members];
    const int behind = group.members[(group.self + members - left) % members];
    const Message farther = {{ahead}, ring_parts(group, group.self + left, kept - left)};
    const Message nearer = {{behind}, ring_parts(group, group.self, kept - left)};
    Round reduce;
    append(reduce.sends, farther);
    append(reduce.receives, nearer);
    plan.reduce.push_back(reduce);
    Round spread;
    append(spread.sends, nearer);
    append(spread.receives, farther);
    plan.spread.insert(plan.spread.begin(), spread);
    kept = left;
  }
  return plan;
}

SumPlan make_tree_plan(const SumTask& task) { return tree_plan(whole_group(task)); }

}  // namespace adapt
