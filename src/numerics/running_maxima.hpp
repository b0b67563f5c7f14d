#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/state_bytes.hpp"
#include "mpi/communicator.hpp"

namespace adapt {

/// The largest magnitude of a tensor in the steps so far, with less weight the longer ago: M ← max(largest
/// magnitude of this step over all shards, kMaximumDecay · M). Maxima do not depend on their order, so all
/// ranks know the same one, on any number of ranks. Absent: no history.
using RunningMaximum = std::optional<float>;

/// M halves in 14 steps: batches' maxima differ by much less than that from step to step, so a scale does
/// not flicker with them, and it follows gradients that shrink over epochs, or an outlier that is past,
/// within a small part of one.
inline constexpr float kMaximumDecay = 0.95F;

/// M after a step in which the largest magnitude was `observed`. A step in which the tensor is all zero
/// leaves M as it is; where the tensor was not asked for (absent), history ends.
[[nodiscard]] RunningMaximum next_maximum(const RunningMaximum& running,
                                          const std::optional<float>& observed);

/// The running maxima of several tensors, from which their scales follow.
class RunningMaxima {
 public:
  explicit RunningMaxima(std::size_t tensors) : running_(tensors) {}

  [[nodiscard]] const RunningMaximum& operator[](std::size_t tensor) const { return running_[tensor]; }
  [[nodiscard]] std::size_t size() const { return running_.size(); }

  /// Ends a step in which the largest magnitudes were `observed`, one for each tensor.
  void update(std::span<const std::optional<float>> observed);

  /// Those of the tensors `first` to `first + count - 1`, for a checkpoint (this machine's representation).
  void save_state(StateWriter& writer, std::size_t first, std::size_t count) const;
  /// Puts back what save_state() gave. Throws BadInput if the bytes do not fit.
  void restore_state(StateReader& reader, std::size_t first, std::size_t count);

 private:
  std::vector<RunningMaximum> running_;
};

/// Replaces each magnitude by the largest over all ranks, to all (collective: one allreduce of 8 bytes each).
/// NaN is the largest of all; what is absent on every rank stays absent. Returns the bytes that this rank
/// sent, as mpi::allreduce_bytes counts them.
std::int64_t allreduce_maxima(std::span<std::optional<float>> magnitudes, const mpi::Communicator& ranks);

}  // namespace adapt
