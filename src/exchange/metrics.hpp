#pragma once

#include <array>
#include <cstdint>

#include "mpi/communicator.hpp"

namespace adapt {

/// Loss and hits over many images, shards and ranks, as integers, so that the sum does not depend on its
/// order.
class MetricSum {
 public:
  /// Whether add() takes a sum of losses.
  [[nodiscard]] static bool fits(double loss);

  /// Adds what some images cost: the sum of their losses. Throws Failure if `loss` is NaN, infinite or beyond
  /// 2^30, or the whole sum beyond 2^38; so do reduce (2^38 / ranks) and +=.
  void add(double loss, std::int64_t correct, std::int64_t images);
  /// Adds up all ranks' sums (collective).
  void reduce(const mpi::Communicator& ranks);

  [[nodiscard]] double mean_loss() const;
  [[nodiscard]] double accuracy() const;  ///< fraction
  [[nodiscard]] std::int64_t images() const { return values_[2]; }

  MetricSum& operator+=(const MetricSum& other);

 private:
  std::array<std::int64_t, 3> values_ = {};  // loss · 2^24, hits, images
};

}  // namespace adapt
