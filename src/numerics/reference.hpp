#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "numerics/format.hpp"
#include "numerics/quantize.hpp"
#include "numerics/random.hpp"

/// The meaning of the passes in quantize.hpp and sum.hpp, written to be obvious, not fast: one element at a
/// time, in double and int64. Tests compare every fast kernel with these.
namespace adapt::reference {

/// The 16-bit piece of element `index` of the sequence of `key`.
[[nodiscard]] std::uint16_t random_piece(const RandomKey& key, std::size_t index);

/// q of a finite `value`; `piece` is used for Rounding::stochastic only.
[[nodiscard]] std::int64_t quantize(float value, FixedFormat format, Rounding rounding, std::uint16_t piece);

/// q of each element, and what adapt::quantize reports of them. For NaN and Inf q is 0.
struct Quantized {
  std::vector<std::int64_t> integers;
  QuantizeResult result;
};
[[nodiscard]] Quantized quantize(std::span<const float> src, FixedFormat format, Rounding rounding,
                                 const RandomKey& key, std::uint32_t first_block = 0);

/// The integers that adapt::add_exact adds; 0 for an element that makes the result not finite.
[[nodiscard]] Quantized exact_integers(std::span<const float> src, int fractional_length, int terms);

/// The sum of the terms in the order that sum.hpp fixes.
[[nodiscard]] double sum_in_order(std::span<const double> terms);

}  // namespace adapt::reference
