#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "exchange/algorithm.hpp"
#include "exchange/packed_sum.hpp"
#include "numerics/packing.hpp"

/// Sum plans carried out in one process: the ranks are virtual, and messages wait in queues.
namespace adapt::test {

/// What each of some ranks has sent.
struct VirtualTraffic {
  std::int64_t bytes = 0;
  std::int64_t messages = 0;
  std::int64_t network_bytes = 0;  ///< to other nodes
};

template <class T>
class VirtualRanks {
 public:
  /// `values` by rank, whole blocks; `nodes` by rank.
  VirtualRanks(Algorithm algorithm, std::vector<std::vector<T>> values, std::vector<int> nodes)
      : values_(std::move(values)),
        nodes_(std::move(nodes)),
        traffic_(values_.size()),
        next_(values_.size()) {
    for (std::size_t rank = 0; rank < values_.size(); ++rank) {
      plans_.push_back(
          entry_of(algorithm).make({static_cast<int>(rank), nodes_, values_.front().size() / kPackedBlock}));
    }
  }

  /// Throws where ranks wait for each other for ever, or messages are left.
  void run(const std::optional<SumRounding>& rounding = std::nullopt) {
    rounding_ = rounding;
    for (std::size_t rank = 0; rank < plans_.size(); ++rank) {
      begin(rank);
    }
    for (bool goes_on = true; goes_on;) {
      goes_on = false;
      for (std::size_t rank = 0; rank < plans_.size(); ++rank) {
        while (next_[rank] < rounds(rank) && is_there(rank)) {
          take(rank);
          ++next_[rank];
          begin(rank);
          goes_on = true;
        }
      }
    }
    for (std::size_t rank = 0; rank < plans_.size(); ++rank) {
      if (next_[rank] < rounds(rank)) {
        throw std::runtime_error("a virtual rank waits for ever");
      }
    }
    for (const auto& [way, queue] : queues_) {
      if (!queue.empty()) {
        throw std::runtime_error("a message has no receiver");
      }
    }
  }

  [[nodiscard]] const std::vector<std::vector<T>>& values() const { return values_; }
  [[nodiscard]] const std::vector<SumPlan>& plans() const { return plans_; }
  [[nodiscard]] const std::vector<VirtualTraffic>& traffic() const { return traffic_; }

 private:
  using Way = std::tuple<int, int, bool>;  // from, to, whether it is added

  std::size_t rounds(std::size_t rank) const {
    return plans_[rank].reduce.size() + plans_[rank].spread.size();
  }
  bool reduces(std::size_t rank) const { return next_[rank] < plans_[rank].reduce.size(); }
  const Round& round_of(std::size_t rank) const {
    const SumPlan& plan = plans_[rank];
    return reduces(rank) ? plan.reduce[next_[rank]] : plan.spread[next_[rank] - plan.reduce.size()];
  }
  std::span<T> values_of(std::size_t rank, BlockRange blocks) {
    return std::span(values_[rank]).subspan(blocks.first * kPackedBlock, blocks.count * kPackedBlock);
  }

  void begin(std::size_t rank) {
    if (next_[rank] == plans_[rank].reduce.size() && rounding_) {
      round_to_bits(values_of(rank, plans_[rank].own), rounding_->bits, rounding_->key,
                    plans_[rank].own.first);
    }
    if (next_[rank] == rounds(rank)) {
      return;
    }
    for (const Message& message : round_of(rank).sends) {
      std::vector<std::byte> packed;
      for (const BlockRange& blocks : message.blocks) {
        const std::span<const T> values = values_of(rank, blocks);
        const std::size_t before = packed.size();
        packed.resize(before + packed_capacity<T>(values.size()));
        packed.resize(before + pack(values, std::span(packed).subspan(before)));
      }
      for (const int peer : message.peers) {
        queues_[{static_cast<int>(rank), peer, reduces(rank)}].push_back(packed);
        const auto bytes = static_cast<std::int64_t>(packed.size());
        traffic_[rank].bytes += bytes;
        traffic_[rank].messages += 1;
        traffic_[rank].network_bytes += nodes_[rank] == nodes_[static_cast<std::size_t>(peer)] ? 0 : bytes;
      }
    }
  }

  bool is_there(std::size_t rank) {
    for (const Message& message : round_of(rank).receives) {
      for (const int peer : message.peers) {
        if (queues_[{peer, static_cast<int>(rank), reduces(rank)}].empty()) {
          return false;
        }
      }
    }
    return true;
  }

  void take(std::size_t rank) {
    for (const Message& message : round_of(rank).receives) {
      for (const int peer : message.peers) {
        auto& queue = queues_[{peer, static_cast<int>(rank), reduces(rank)}];
        std::span<const std::byte> packed = queue.front();
        for (const BlockRange& blocks : message.blocks) {
          const std::span<T> values = values_of(rank, blocks);
          const auto mine = packed.first(packed_length(packed, values.size()));
          packed = packed.subspan(mine.size());
          reduces(rank) ? unpack_add(mine, values) : unpack(mine, values);
        }
        queue.pop_front();
      }
    }
  }

  std::vector<std::vector<T>> values_;
  std::vector<int> nodes_;
  std::vector<SumPlan> plans_;
  std::vector<VirtualTraffic> traffic_;
  std::vector<std::size_t> next_;  // round, by rank
  std::optional<SumRounding> rounding_;
  std::map<Way, std::deque<std::vector<std::byte>>> queues_;
};

/// `ranks` on nodes of `per_node`, one node after the other.
inline std::vector<int> placed_in_blocks(int ranks, int per_node) {
  std::vector<int> nodes;
  for (int rank = 0; rank < ranks; ++rank) {
    nodes.push_back(rank / per_node * per_node);
  }
  return nodes;
}

/// `ranks` dealt out to so many nodes in turn.
inline std::vector<int> placed_in_turn(int ranks, int nodes_in_all) {
  std::vector<int> nodes;
  for (int rank = 0; rank < ranks; ++rank) {
    nodes.push_back(rank % nodes_in_all);
  }
  return nodes;
}

}  // namespace adapt::test
