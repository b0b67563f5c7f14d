#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace adapt {

/// Blocks `first` to `first + count - 1` of an array that is summed (a block: numerics/packing.hpp).
struct BlockRange {
  std::size_t first = 0;
  std::size_t count = 0;

  bool operator==(const BlockRange&) const = default;
};

/// Blocks that travel together, to or from each of some ranks.
struct Message {
  std::vector<int> peers;
  std::vector<BlockRange> blocks;  ///< one behind the other; none is empty
};

/// What a rank sends, and what it then waits for before the next round. A message that is sent has its place
/// in the receiver's round, and two ranks list what they have for each other in the same order.
struct Round {
  std::vector<Message> sends;
  std::vector<Message> receives;
};

/// How one rank takes part in a sum over all ranks, block by block: what it receives in the rounds of
/// `reduce` is added to its own numbers; then the blocks `own` are the whole sum, each block on one rank
/// only; what it receives in the rounds of `spread` is the whole sum and replaces its numbers.
///
/// As a rank's numbers are integers and every rank's are added exactly once, a plan cannot change a bit
/// of the sum. A partial sum is one over some of the shards, so it needs no more bits than the whole one may
/// (sum_bits() in integer_encoding.hpp): nothing overflows under way that would not at the end.
struct SumPlan {
  std::vector<Round> reduce;
  BlockRange own;
  std::vector<Round> spread;
};

/// What a plan is made for.
struct SumTask {
  int rank = 0;
  std::span<const int> nodes;  ///< by rank: where it is (mpi::Communicator::nodes())
  std::size_t blocks = 0;      ///< of the array, the same on all ranks
};

/// Ranks that share the sum of some blocks.
struct SumGroup {
  std::vector<int> members;
  std::size_t self = 0;  ///< this rank's place among them
  BlockRange range;
};

/// All ranks of a task, and all its blocks.
[[nodiscard]] SumGroup whole_group(const SumTask& task);

/// Part `index` of `parts` of about equal length, the first of them not the longest.
[[nodiscard]] BlockRange part_of(BlockRange range, std::size_t index, std::size_t parts);

/// The first `owners` members own a part each: all members send every owner its part at once, and the owners
/// send the sums to all.
[[nodiscard]] SumPlan direct_plan(const SumGroup& group, std::size_t owners);

/// In ceil(log2 N) rounds each way, half as many blocks in each: see sum_tree.cpp.
[[nodiscard]] SumPlan tree_plan(const SumGroup& group);

/// Adds `blocks` to `message` unless they are none.
void append(Message& message, BlockRange blocks);

/// Adds `message` to `messages` unless it has nobody or nothing.
void append(std::vector<Message>& messages, Message message);

}  // namespace adapt
