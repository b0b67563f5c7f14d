#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "numerics/random.hpp"

namespace adapt {

// Integers of T (std::int32_t or std::int64_t) on the wire. Every block of kPackedBlock values takes the bits
// that its largest magnitude needs in two's complement, less the low bits that are zero in all its values:
// two bytes (width, shift), then 32 · width bytes. A block of zeros takes two bytes. Nothing is lost.

inline constexpr std::size_t kPackedBlock = 256;

/// Most bytes that `values` of T (a whole number of blocks) can take.
template <class T>
[[nodiscard]] constexpr std::size_t packed_capacity(std::size_t values) {
  return values / kPackedBlock * (2 + kPackedBlock * sizeof(T));
}

/// Packs `values` (a whole number of blocks) into the front of `dst` (packed_capacity) and returns how many
/// bytes that took.
template <class T>
std::size_t pack(std::span<const T> values, std::span<std::byte> dst);

/// The way back: overwrites `values`, or adds to them. Throws Failure where `packed` is not just what so many
/// values take.
template <class T>
void unpack(std::span<const std::byte> packed, std::span<T> values);
template <class T>
void unpack_add(std::span<const std::byte> packed, std::span<T> values);

/// Bytes at the front of `packed` that the first `values` values (whole blocks) take. Throws Failure where
/// it holds fewer.
[[nodiscard]] std::size_t packed_length(std::span<const std::byte> packed, std::size_t values);

/// Rounds `values` (whole blocks) stochastically to `bits` bits: in each block to multiples of the smallest
/// power of two 2^s at which all its values are -2^(bits-1) · 2^s .. (2^(bits-1) - 1) · 2^s after rounding up
/// or down. floor((value + t) / 2^s) with t uniform in [0, 2^s) from the sequence of `key`, whose element
/// kPackedBlock · (first_block + b) + i belongs to value i of block b: an array may be cut at blocks. Such a
/// block packs to at most `bits` bits.
///
/// Nothing overflows where the values are sums of k numbers of `bits` bits and T holds sums of K >= k of
/// them, K a power of two: values lie in -K · 2^(bits-1) .. K · (2^(bits-1) - 1), so 2^s = K always
/// satisfies the bounds and s <= log2 K; the upper end is then a multiple of 2^s, so rounding up stays within
/// it, and value + t <= K · 2^(bits-1) - K + 2^s - 1 < K · 2^(bits-1).
template <class T>
void round_to_bits(std::span<T> values, int bits, const RandomKey& key, std::size_t first_block);

}  // namespace adapt
