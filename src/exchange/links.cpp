#include "exchange/links.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/stopwatch.hpp"
#include "mpi/messages.hpp"

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

}  // namespace

LinkCosts measure_links(const mpi::Communicator& ranks) {
  const std::vector<int>& nodes = ranks.nodes();
  return {measure(ranks, ring_of(ranks_on_node(nodes, ranks.rank()), ranks.rank())),
          measure(ranks, ring_of(peers_on_nodes(nodes, ranks.rank()), ranks.rank()))};
}

}  // namespace adapt
