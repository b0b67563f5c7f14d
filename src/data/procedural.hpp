#pragma once

#include <cstdint>
#include <span>

namespace adapt {

/// Draws image `index` of a split (0 training, 1 test) of the procedural dataset into `pixels` (28x28 bytes)
/// and returns its digit: a pure function of (seed, split, index). Every ten images from a multiple of ten
/// hold each digit once, in random order.
int draw_digit(std::uint64_t seed, std::uint32_t split, std::uint32_t index, std::span<std::uint8_t> pixels);

}  // namespace adapt
