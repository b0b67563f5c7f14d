#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "mpi/communicator.hpp"
#include "precision/push_down.hpp"

namespace adapt {

/// The master weights of a quantized layer; the same on all ranks.
using LayerWeights = std::function<std::span<const float>(int layer)>;

/// Spreads the PushDowns of a step over the ranks, so that rank 0 does not do alone what all wait for. Each
/// is a pure function of weights that every rank has, so it does not matter who does it.
class SharedPushDown {
 public:
  /// Weights of all jobs together below which rank 0 does them alone: about a millisecond's work.
  static constexpr std::size_t kFewWeights = 20000;

  SharedPushDown(const mpi::Communicator& ranks, LayerWeights weights)
      : ranks_(ranks), weights_(std::move(weights)) {}

  /// Whether other ranks shall help with these jobs.
  [[nodiscard]] bool is_worth_it(const std::vector<PushDownJob>& jobs) const;
  /// Results of all jobs on rank 0, nothing elsewhere. Rank 0 has the jobs, the others know their number
  /// (collective).
  std::vector<PushDownResult> run(std::vector<PushDownJob> jobs) const;

  /// Which rank does which job: the largest first, each to the rank that has least to do.
  [[nodiscard]] static std::vector<int> deal(const std::vector<std::size_t>& sizes, int ranks);

 private:
  [[nodiscard]] std::vector<std::size_t> sizes_of(const std::vector<PushDownJob>& jobs) const;

  const mpi::Communicator& ranks_;
  LayerWeights weights_;
};

}  // namespace adapt
