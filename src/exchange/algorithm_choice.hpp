#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "exchange/options.hpp"
#include "mpi/communicator.hpp"

namespace adapt {

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
  AlgorithmChoice(const ExchangeOptions& options, const mpi::Communicator& ranks);

  /// For sums of tensors of these sizes, of numbers of `bits` bits: the same on all ranks.
  [[nodiscard]] Algorithm of(const std::vector<std::size_t>& sizes, int bits) const;
  /// What it follows from, for people: "measured: 1.2 us and 0.1 ns/byte on a node"; empty where nothing was
  /// measured.
  [[nodiscard]] std::string reason() const;

 private:
  std::optional<Algorithm> chosen_;
  std::optional<LinkCosts> measured_;
  std::vector<int> nodes_;
};

}  // namespace adapt
