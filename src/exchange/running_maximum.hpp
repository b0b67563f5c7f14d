#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>

namespace adapt {

/// The largest magnitude of a tensor in the steps so far, with less weight the longer ago: M ← max(largest
/// magnitude of this step over all shards, kMaximumDecay · M). Maxima do not depend on their order, so all
/// ranks know the same one, on any number of ranks. Absent: no history.
using RunningMaximum = std::optional<float>;

/// M halves in 14 steps: batches' maxima differ by much less than that from step to step, so a scale does
/// not flicker with them, and it follows gradients that shrink over epochs, or an outlier that is past,
/// within a small part of one.
inline constexpr float kMaximumDecay = 0.95F;

/// As a number of which the largest over the ranks is sent: magnitudes are ordered like their bits, NaN
/// last; -1 (absent) is below all.
inline std::int64_t to_wire(const RunningMaximum& maximum) {
  return maximum ? static_cast<std::int64_t>(std::bit_cast<std::uint32_t>(*maximum)) : -1;
}

inline RunningMaximum from_wire(std::int64_t wire) {
  return wire < 0 ? std::nullopt : RunningMaximum(std::bit_cast<float>(static_cast<std::uint32_t>(wire)));
}

/// M after a step in which the largest magnitude was `observed`. A step in which the tensor is all zero
/// leaves M as it is; where the tensor was not asked for (absent), history ends.
inline RunningMaximum next_maximum(const RunningMaximum& running, const RunningMaximum& observed) {
  if (!observed || *observed == 0) {
    return observed ? running : std::nullopt;
  }
  return std::max(*observed, running ? kMaximumDecay * *running : 0.0F);
}

}  // namespace adapt
