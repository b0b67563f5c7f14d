#pragma once

#include <cstddef>
#include <cstdint>

#include "numerics/dispatch.hpp"

namespace adapt {

// What an exact matrix product multiplies: the integers of a layer's tensors, as they stand in rows of the
// left matrix and in panels of the right one (numerics/vector/product.hpp).

/// Bytes, for processors that multiply them. Those on the left are unsigned: 128 is added to signed ones.
struct ByteOperands {
  using Integer = std::int8_t;
  using Left = std::uint8_t;
  using Right = std::int8_t;
  static constexpr std::size_t kGroup = vector::kByteGroup;
  static constexpr Left kZero = 128;  ///< what zero is on the left

  static const vector::ByteProducts& products() { return *vector::level().bytes; }
  /// `zero` is kZero, or 0 for unsigned bytes.
  static Left left_of(std::int8_t integer, Left zero) { return static_cast<Left>(integer ^ zero); }
  static Left left_of(std::uint8_t integer, Left zero) { return static_cast<Left>(integer ^ zero); }

  static void transpose(const Integer* src, std::size_t rows, std::size_t columns, Left* dst,
                        std::size_t dst_stride) {
    vector::kernels().transpose_bytes(src, rows, columns, dst, dst_stride);
  }
  static void pack(const Integer* src, std::size_t rows, std::size_t columns, Right* dst,
                   std::size_t panel_stride) {
    vector::kernels().pack_bytes(src, rows, columns, dst, panel_stride);
  }
};

/// 16-bit words; bytes, too, where the processor multiplies none.
struct WordOperands {
  using Integer = std::int16_t;
  using Left = std::int16_t;
  using Right = std::int16_t;
  static constexpr std::size_t kGroup = vector::kWordGroup;
  static constexpr Left kZero = 0;

  static const vector::WordProducts& products() { return *vector::level().words; }
  static Left left_of(std::int8_t integer, Left /*zero*/) { return Left{integer}; }
  static Left left_of(std::uint8_t integer, Left /*zero*/) { return Left{integer}; }

  static void transpose(const Integer* src, std::size_t rows, std::size_t columns, Left* dst,
                        std::size_t dst_stride) {
    vector::kernels().transpose_words(src, rows, columns, dst, dst_stride);
  }
  static void pack(const Integer* src, std::size_t rows, std::size_t columns, Right* dst,
                   std::size_t panel_stride) {
    vector::kernels().pack_words(src, rows, columns, dst, panel_stride);
  }
};

}  // namespace adapt
