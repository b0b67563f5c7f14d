#pragma once

#include <span>

#include "numerics/format.hpp"

namespace adapt {

/// Smallest and largest element of a tensor.
struct Extremes {
  float lowest = 0;
  float highest = 0;

  bool operator==(const Extremes&) const = default;
};

/// Extremes of `values`, 0 counting as one of them; NaN is passed over.
[[nodiscard]] Extremes extremes(std::span<const float> values);

/// The power-of-two scale of a tensor (MuPPET's quantizer, Rajagopal et al. 2020): the largest FL at which
/// rounding leads out of the range of `word_length` bits by no more than half a step, floor(log2(min(|U /
/// highest|, |L / lowest|))) with U = 2^(WL-1) - 1/2 and L = -2^(WL-1) - 1/2, held within the limits of
/// quantize.hpp. An end of 0 does not count; one of them must not be 0. Exact: the quotient in double is
/// never rounded to a power of two that it does not reach.
[[nodiscard]] int fitting_fractional_length(int word_length, Extremes range);

/// The same for a tensor of which only the largest magnitude (> 0) is known.
[[nodiscard]] inline int fitting_fractional_length(int word_length, float magnitude) {
  return fitting_fractional_length(word_length, Extremes{-magnitude, magnitude});
}

}  // namespace adapt
