#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "exchange/algorithm.hpp"
#include "mpi/communicator.hpp"

namespace adapt {

/// What a message costs a rank: seconds until it is there, and seconds for each byte.
struct LinkCost {
  double message_s = 0;
  double byte_s = 0;
};

/// Of messages within a node and between nodes, with all ranks sending at once.
struct LinkCosts {
  LinkCost node;
  LinkCost network;
};

/// Measures with a few messages in a ring, the slowest rank counts (collective; some ten milliseconds). All
/// ranks get the same. A kind of link that there is none of costs nothing.
[[nodiscard]] LinkCosts measure_links(const mpi::Communicator& ranks);

/// Modelled seconds of one rank's part in a sum of numbers of `bits` bits: its messages one after the other,
/// each sum over twice as many ranks a bit wider.
[[nodiscard]] double modelled_seconds(const SumPlan& plan, const SumTask& task, int bits,
                                      const LinkCosts& costs);

/// The algorithm under which rank 0 is done with arrays of so many blocks first, by modelled_seconds(); of
/// equals the first of the table.
[[nodiscard]] Algorithm fastest_algorithm(std::span<const int> nodes, std::span<const std::size_t> blocks,
                                          int bits, const LinkCosts& costs);

/// What `exchange.algorithm` becomes on these ranks.
class AlgorithmChoice {
 public:
  /// `chosen` absent: auto. Measures then, if there is anything to choose (collective).
  AlgorithmChoice(std::optional<Algorithm> chosen, const mpi::Communicator& ranks);

  /// For sums of tensors of these sizes, of numbers of `bits` bits: the same on all ranks.
  [[nodiscard]] Algorithm of(const std::vector<std::size_t>& sizes, int bits) const;
  /// What it follows from, for people: "measured: 1.2 us and 0.11 ns/byte on a node"; empty where it was
  /// chosen, or nothing is to choose.
  [[nodiscard]] std::string reason() const;

 private:
  std::optional<Algorithm> chosen_;
  std::vector<int> nodes_;
  LinkCosts costs_;
};

}  // namespace adapt
