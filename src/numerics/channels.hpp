#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "numerics/vector/kernels.hpp"

namespace adapt {

// Passes over activations whose channels come last. Vector code is chosen at run time; each operation is
// rounded by itself (no fused multiply-add), so the result does not depend on it.
//
// Coefficients and lanes come in arrays of `period` elements, a multiple of the channels, in which the
// channels repeat: element i of an activation meets element i mod period. A longer period than the channels
// lets the passes use whole registers; for sums it says which elements meet in one lane, so it must be the
// same wherever bits are to be equal. Errors: Failure where lengths differ, and where numbers with a mask
// meet a period that is no multiple of 8.

/// A period for `channels`: the smallest multiple of 8 · channels from 256 on.
[[nodiscard]] std::size_t channel_period(std::size_t channels);

/// dst[i] = src[i] · step; 32-bit sums are rounded to nearest where they exceed 2^24.
void from_bytes(std::span<const std::int8_t> src, std::span<float> dst, float step);
void from_sums(std::span<const std::int32_t> src, std::span<float> dst, float step);

/// values[i] += addend[i mod period].
void add_channels(std::span<float> values, std::span<const float> addend);

using vector::Numbers;

/// dst[i] = src[i] · factor[i mod period] + addend[i mod period]; `dst` may be `src`.
void scale_channels(const Numbers& src, std::span<float> dst, std::span<const float> factor,
                    std::span<const float> addend);

/// dst[i] = (x[i] · x_factor[..] + y[i] · y_factor[..]) + addend[..], each at i mod period; `dst` may be `x`
/// or `y`, which has no mask.
void combine_channels(const Numbers& x, const Numbers& y, std::span<float> dst,
                      std::span<const float> x_factor, std::span<const float> y_factor,
                      std::span<const float> addend);

/// lanes[i mod period] += x[i], one after the other.
void sum_channels(std::span<const float> x, std::span<float> lanes);

/// sums[i mod period] += x[i] and products[i mod period] += x[i] · y[i], of `count` numbers one after the
/// other; `y` has no mask.
void sum_products(const Numbers& x, const Numbers& y, std::size_t count, std::span<float> sums,
                  std::span<float> products);

/// Adds lanes to the sums of their channels, first lane first, and clears them.
void fold_lanes(std::span<float> lanes, std::span<double> sums);

/// dst[i] = x[i] + y[i]; `dst` may be `x` or `y`.
void add(std::span<const float> x, std::span<const float> y, std::span<float> dst);

// A mask has one bit for each element: bit i mod 8 of byte i / 8.

[[nodiscard]] constexpr std::size_t mask_bytes(std::size_t elements) { return (elements + 7) / 8; }
/// The part of a mask for `length` elements from `first` on, a multiple of 8.
[[nodiscard]] inline std::span<std::uint8_t> mask_of(std::span<std::uint8_t> mask, std::size_t first,
                                                     std::size_t length) {
  return mask.subspan(first / 8, mask_bytes(length));
}

/// Negative values and NaN become 0 (ReLU). `mask`, which may be empty, gets a bit for each that is positive.
void rectify(std::span<float> values, std::span<std::uint8_t> mask = {});

/// Values whose bit is not set become 0 (the gradient of ReLU).
void apply_mask(std::span<const std::uint8_t> mask, std::span<float> values);

}  // namespace adapt
