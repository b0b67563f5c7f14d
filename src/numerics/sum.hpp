#pragma once

#include <cstdint>
#include <span>

namespace adapt {

// Sums of float32 arrays with the same bits on every machine: element i goes to partial sum i mod 16 in
// double, and the 16 partial sums are added pairwise (j and j + 8, then j and j + 4, ...).

/// Sum of values[i]², each square exact. NaN or Inf if any element is.
[[nodiscard]] double sum_squares(std::span<const float> values);

/// Sum of |values[i]|. NaN or Inf if any element is.
[[nodiscard]] double sum_abs(std::span<const float> values);

/// How many elements are not zero; NaN counts, -0 does not.
[[nodiscard]] std::int64_t count_nonzero(std::span<const float> values);

/// The largest |values[i]|, 0 for an empty span, NaN if any element is NaN.
[[nodiscard]] float maximum_magnitude(std::span<const float> values);

}  // namespace adapt
