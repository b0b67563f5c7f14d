#include "exchange/sum_plan.hpp"

#include <numeric>
#include <utility>

namespace adapt {

SumGroup whole_group(const SumTask& task) {
  SumGroup group = {
      std::vector<int>(task.nodes.size()), static_cast<std::size_t>(task.rank), {0, task.blocks}};
  std::iota(group.members.begin(), group.members.end(), 0);
  return group;
}

BlockRange part_of(BlockRange range, std::size_t index, std::size_t parts) {
  const std::size_t begin = range.count * index / parts;
  return {range.first + begin, range.count * (index + 1) / parts - begin};
}

void append(Message& message, BlockRange blocks) {
  if (blocks.count > 0) {
    message.blocks.push_back(blocks);
  }
}

void append(std::vector<Message>& messages, Message message) {
  if (!message.peers.empty() && !message.blocks.empty()) {
    messages.push_back(std::move(message));
  }
}

}  // namespace adapt
