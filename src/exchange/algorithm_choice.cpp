#include "exchange/algorithm_choice.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "exchange/bucket_layout.hpp"
#include "numerics/packing.hpp"

namespace adapt {
namespace {

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

AlgorithmChoice::AlgorithmChoice(const ExchangeOptions& options, const mpi::Communicator& ranks)
    : chosen_(options.algorithm), measured_(options.links), nodes_(ranks.nodes()) {
  if (ranks.size() <= 2 && !chosen_) {
    chosen_ = Algorithm::direct;  // they are all the same
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
  return fastest_algorithm(nodes_, blocks, bits, measured_.value_or(kUsualLinks));
}

std::string AlgorithmChoice::reason() const {
  if (chosen_ || !measured_) {
    return "";
  }
  const auto describe = [](const LinkCost& cost, const char* where) {
    const auto tenths = [](double value) { return static_cast<double>(std::llround(10 * value)) / 10; };
    return concat(tenths(1e6 * cost.message_s), " us and ", tenths(1e9 * cost.byte_s), " ns/byte ", where);
  };
  std::string text = "measured: " + describe(measured_->node, "on a node");
  return measured_->network.message_s > 0 ? concat(text, ", ", describe(measured_->network, "between nodes"))
                                          : text;
}

}  // namespace adapt
