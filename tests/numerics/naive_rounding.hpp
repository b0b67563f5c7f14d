#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "numerics/packing.hpp"
#include "numerics/reference.hpp"

namespace adapt::test {

/// floor(value / 2^shift).
inline std::int64_t floor_shift(std::int64_t value, int shift) { return value >> shift; }

/// What round_to_bits makes of a whole array, one element at a time in int64; the last block may be short.
inline void naive_round(std::vector<std::int64_t>& values, int bits, const RandomKey& key) {
  const std::int64_t limit = std::int64_t{1} << (bits - 1);
  for (std::size_t first = 0; first < values.size(); first += kPackedBlock) {
    const std::size_t end = std::min(first + kPackedBlock, values.size());
    int shift = 0;
    const auto fits = [&](std::int64_t value) {
      const std::int64_t up = floor_shift(value + (std::int64_t{1} << shift) - 1, shift);
      return floor_shift(value, shift) >= -limit && up <= limit - 1;
    };
    while (!std::all_of(values.begin() + static_cast<std::ptrdiff_t>(first),
                        values.begin() + static_cast<std::ptrdiff_t>(end), fits)) {
      ++shift;
    }
    for (std::size_t i = first; i < end; ++i) {
      const std::int64_t piece = reference::random_piece(key, i);
      const std::int64_t t = shift <= 16 ? piece >> (16 - shift) : piece << (shift - 16);
      values[i] = floor_shift(values[i] + t, shift) * (std::int64_t{1} << shift);
    }
  }
}

}  // namespace adapt::test
