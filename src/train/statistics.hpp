#pragma once

#include <memory>

#include "exchange/algorithm_choice.hpp"
#include "exchange/encoding.hpp"
#include "nn/parameters.hpp"

namespace adapt {

/// Moves batch norm's running statistics by the mean of all shards' statistics, summed exactly, so that they
/// are the same on any number of ranks.
class StatisticsExchange {
 public:
  StatisticsExchange(const ModelState& state, int shards, const AlgorithmChoice& algorithms);

  void begin(std::uint32_t step);
  /// Takes in RunningStatistics::shard_* of the shard that ran forward last.
  void add(const ModelState& state, std::uint32_t shard);
  /// Sums over the ranks (collective) and updates the running statistics. Does nothing for a model without
  /// batch norm.
  void reduce(ModelState& state, const mpi::Communicator& ranks);

 private:
  std::unique_ptr<GradientEncoding> encoding_;
  AlignedVector<float> mean_;
};

}  // namespace adapt
