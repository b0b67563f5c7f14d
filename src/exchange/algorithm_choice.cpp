#include "exchange/algorithm_choice.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <utility>

#include "base/error.hpp"
#include "base/stopwatch.hpp"
#include "exchange/bucket_layout.hpp"
#include "mpi/messages.hpp"
#include "numerics/packing.hpp"

namespace adapt {
namespace {

constexpr int kTag = 0;  // encodings' begin later
constexpr std::size_t kShort = 8;
constexpr std::size_t kLong = 65536;  // bytes
constexpr int kRepeats = 5;

/// Neighbours in a ring; none: nobody to send to.
using Ring = std::optional<std::pair<int, int>>;  // ahead, behind

/// The fastest of a few times that a message of `size` bytes goes one step round the ring, seconds.
double ring_seconds(const mpi::Communicator& ranks, const Ring& ring, std::size_t size) {
  std::vector<std::byte> out(size);
  std::vector<std::byte> in(size);
  double least = 0;
  for (int repeat = 0; repeat < kRepeats && ring; ++repeat) {
    mpi::Messages messages;
    const Stopwatch watch;
    messages.receive(ranks, in, ring->second, kTag);
    messages.send(ranks, out, ring->first, kTag);
    messages.wait();
    const double seconds = watch.seconds();
    least = repeat == 0 ? seconds : std::min(least, seconds);
  }
  return least;
}

LinkCost measure(const mpi::Communicator& ranks, const Ring& ring) {
  ranks.barrier();
  const double brief = ring_seconds(ranks, ring, kShort);
  const double whole = ring_seconds(ranks, ring, kLong);
  constexpr double kUnit = 1e-12;  // seconds
  const double byte_s = std::max(0.0, whole - brief) / static_cast<double>(kLong - kShort);
  std::array<std::int64_t, 2> slowest = {std::llround(brief / kUnit), std::llround(byte_s / kUnit)};
  ranks.maximum(slowest);
  return {static_cast<double>(slowest[0]) * kUnit, static_cast<double>(slowest[1]) * kUnit};
}

Ring ring_of(const std::vector<int>& members, int rank) {
  const auto found = std::ranges::find(members, rank);
  if (found == members.end() || members.size() < 2) {
    return std::nullopt;
  }
  const auto self = static_cast<std::size_t>(found - members.begin());
  return std::pair(members[(self + 1) % members.size()],
                   members[(self + members.size() - 1) % members.size()]);
}

/// Ranks that have as many ranks of their node before them as `rank` has: one of each node that has so many.
std::vector<int> peers_on_nodes(const std::vector<int>& nodes, int rank) {
  std::map<int, int> seen;
  std::vector<int> place;
  for (const int node : nodes) {
    place.push_back(seen[node]++);
  }
  std::vector<int> peers;
  for (std::size_t other = 0; other < nodes.size(); ++other) {
    if (place[other] == place[static_cast<std::size_t>(rank)]) {
      peers.push_back(static_cast<int>(other));
    }
  }
  return peers;
}

std::vector<int> ranks_on_node(const std::vector<int>& nodes, int rank) {
  std::vector<int> members;
  for (std::size_t other = 0; other < nodes.size(); ++other) {
    if (nodes[other] == nodes[static_cast<std::size_t>(rank)]) {
      members.push_back(static_cast<int>(other));
    }
  }
  return members;
}

/// Of the messages that are sent in a round.
double round_seconds(const Round& round, const SumTask& task, double bits, const LinkCosts& costs) {
  const int own = task.nodes[static_cast<std::size_t>(task.rank)];
  double seconds = 0;
  for (const Message& message : round.sends) {
    std::size_t blocks = 0;
    for (const BlockRange& range : message.blocks) {
      blocks += range.count;
    }
    const double bytes = static_cast<double>(blocks * kPackedBlock) * bits / 8;
    for (const int peer : message.peers) {
      const LinkCost& link = task.nodes[static_cast<std::size_t>(peer)] == own ? costs.node : costs.network;
      seconds += link.message_s + bytes * link.byte_s;
    }
  }
  return seconds;
}

}  // namespace

LinkCosts measure_links(const mpi::Communicator& ranks) {
  const std::vector<int>& nodes = ranks.nodes();
  return {measure(ranks, ring_of(ranks_on_node(nodes, ranks.rank()), ranks.rank())),
          measure(ranks, ring_of(peers_on_nodes(nodes, ranks.rank()), ranks.rank()))};
}

double modelled_seconds(const SumPlan& plan, const SumTask& task, int bits, const LinkCosts& costs) {
  double seconds = 0;
  double width = bits;
  for (const Round& round : plan.reduce) {
    seconds += round_seconds(round, task, width, costs);
    width += 1;
  }
  for (const Round& round : plan.spread) {
    seconds += round_seconds(round, task, bits, costs);
  }
  return seconds;
}

Algorithm fastest_algorithm(std::span<const int> nodes, std::span<const std::size_t> blocks, int bits,
                            const LinkCosts& costs) {
  const auto seconds = [&](const AlgorithmEntry& entry) {
    double sum = 0;
    for (const std::size_t count : blocks) {
      const SumTask task = {0, nodes, count};
      sum += modelled_seconds(entry.make(task), task, bits, costs);
    }
    return sum;
  };
  return std::ranges::min_element(kNames<Algorithm>, {}, seconds)->value;
}

AlgorithmChoice::AlgorithmChoice(std::optional<Algorithm> chosen, const mpi::Communicator& ranks)
    : chosen_(chosen), nodes_(ranks.nodes()) {
  if (ranks.size() <= 2 && !chosen_) {
    chosen_ = Algorithm::direct;  // they are all the same
  }
  if (!chosen_) {
    costs_ = measure_links(ranks);
  }
}

Algorithm AlgorithmChoice::of(const std::vector<std::size_t>& sizes, int bits) const {
  if (chosen_) {
    return *chosen_;
  }
  const BucketLayout layout(sizes, std::vector<int>(sizes.size()));
  std::vector<std::size_t> blocks;
  for (const BucketLayout::Bucket& bucket : layout.buckets()) {
    blocks.push_back((bucket.size + kPackedBlock - 1) / kPackedBlock);
  }
  return fastest_algorithm(nodes_, blocks, bits, costs_);
}

std::string AlgorithmChoice::reason() const {
  if (chosen_) {
    return "";
  }
  const auto describe = [](const LinkCost& cost, const char* where) {
    const auto tenths = [](double value) { return static_cast<double>(std::llround(10 * value)) / 10; };
    return concat(tenths(1e6 * cost.message_s), " us and ", tenths(1e9 * cost.byte_s), " ns/byte ", where);
  };
  std::string text = "measured: " + describe(costs_.node, "on a node");
  return costs_.network.message_s > 0 ? concat(text, ", ", describe(costs_.network, "between nodes")) : text;
}

}  // namespace adapt
