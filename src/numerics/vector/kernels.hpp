#pragma once

// The vector code behind numerics/quantize.hpp, sum.hpp and channels.hpp: one source, compiled once per
// instruction set into a table of plain functions. This header is seen by all three compilations, so it holds
// no inline function: the linker would keep one copy of it, perhaps one this processor cannot run.

#include <cstddef>
#include <cstdint>

namespace adapt::vector {

/// A fixed-point format as the kernels need it.
struct Grid {
  float scale;          ///< 2^FL
  float step;           ///< 2^-FL
  float low;            ///< -2^(WL-1)
  float high;           ///< the largest float32 that is <= 2^(WL-1) - 1
  std::int32_t excess;  ///< 2^(WL-1) - 1 - high, not zero where WL > 25
};

/// A random sequence as Philox words: block b has the counter {first_block + b, counter[0..2]}.
struct Sequence {
  std::uint32_t key[2];
  std::uint32_t counter[3];
  std::uint32_t first_block;
};

/// What a pass learned about its input.
struct Tally {
  std::int64_t nonzero;
  bool finite;
  float largest;  ///< magnitude of the inputs; add_exact leaves it 0
};

/// What a block of integers is made of.
template <class T>
struct PackedBits {
  T any;         ///< all values, or-ed
  T magnitudes;  ///< all values, negative ones inverted, or-ed
};

/// See numerics/packing.hpp. `values` and `dst` of T are a block; a packed block has 32 · width bytes, width
/// is 1 to the bits of T, shift + width at most that.
template <class T>
struct PackingKernels {
  PackedBits<T> (*scan)(const T* values);
  void (*pack)(const T* values, int shift, int width, unsigned char* dst);
  void (*unpack)(const unsigned char* src, int shift, int width, T* dst);
  void (*unpack_add)(const unsigned char* src, int shift, int width, T* dst);
  /// To multiples of 2^shift, with the pieces of the sequence's block · 256 and following elements.
  void (*round)(T* values, int shift, const Sequence& random, std::uint32_t block);
};

/// The functions of one instruction set. All arrays have `count` elements and any alignment; `dst` may be
/// `src`. `random` is null for rounding to nearest.
struct Kernels {
  const char* name;
  Tally (*quantize)(const float* src, float* dst, std::size_t count, const Grid& grid,
                    const Sequence* random);
  Tally (*quantize_to_integers)(const float* src, std::int32_t* dst, std::size_t count, const Grid& grid,
                                const Sequence* random);
  Tally (*quantize_add32)(const float* src, std::int32_t* sum, std::size_t count, const Grid& grid,
                          const Sequence* random);
  Tally (*quantize_add64)(const float* src, std::int64_t* sum, std::size_t count, const Grid& grid,
                          const Sequence* random);
  /// `scale` is the power of two, `limit` the magnitude from which on an element counts as not finite.
  Tally (*add_exact)(const float* src, std::int64_t* sum, std::size_t count, double scale, double limit);
  /// WL <= 8.
  Tally (*quantize_to_bytes)(const float* src, std::int8_t* dst, std::size_t count, const Grid& grid,
                             const Sequence* random);
  void (*dequantize32)(const std::int32_t* src, float* dst, std::size_t count, double scale);
  void (*dequantize64)(const std::int64_t* src, float* dst, std::size_t count, double scale);
  /// Both add to 16 lanes, element i to lane i mod 16.
  void (*sum_squares)(const float* src, std::size_t count, double* lanes);
  void (*sum_abs)(const float* src, std::size_t count, double* lanes);
  std::int64_t (*count_nonzero)(const float* src, std::size_t count);
  float (*maximum_magnitude)(const float* src, std::size_t count);
  /// The least and the greatest of the elements and 0; NaN where one is among them.
  void (*extremes)(const float* src, std::size_t count, float* lowest, float* highest);
  /// See numerics/channels.hpp.
  void (*from_bytes)(const std::int8_t* src, float* dst, std::size_t count, float step);
  void (*from_sums)(const std::int32_t* src, float* dst, std::size_t count, float step);
  /// dst[i] = float(sums[places[i]] - correction) · step, the difference modulo 2^32.
  void (*gather_sums)(const std::int32_t* sums, const std::int32_t* places, float* dst, std::size_t count,
                      std::int32_t correction, float step);
  void (*add_channels)(float* values, std::size_t count, const float* addend, std::size_t period);
  void (*scale_channels)(const float* src, float* dst, std::size_t count, const float* factor,
                         const float* addend, std::size_t period);
  void (*combine_channels)(const float* x, const float* y, float* dst, std::size_t count,
                           const float* x_factor, const float* y_factor, const float* addend,
                           std::size_t period);
  void (*sum_channels)(const float* x, std::size_t count, float* lanes, std::size_t period);
  void (*sum_products)(const float* x, const float* y, std::size_t count, float* lanes, std::size_t period);
  void (*add)(const float* src, float* dst, std::size_t count);
  void (*clear_negative)(float* values, std::size_t count);
  void (*positive_mask)(const float* values, std::size_t count, std::uint8_t* mask);
  void (*apply_mask)(const std::uint8_t* mask, float* values, std::size_t count);
  /// dst[c · dst_stride + r] = src[r · columns + c] + 128, columns being a multiple of 16. Rows are read and
  /// written up to the next multiple of 64 beyond `rows`.
  void (*transpose_bytes)(const std::int8_t* src, std::size_t rows, std::size_t columns, std::uint8_t* dst,
                          std::size_t dst_stride);
  /// Panels of 16 columns as vector/product.hpp reads them, `panel_stride` bytes apart; rows is a multiple of
  /// 4, columns one of 16.
  void (*pack_bytes)(const std::int8_t* src, std::size_t rows, std::size_t columns, std::int8_t* dst,
                     std::size_t panel_stride);
  /// sums[c] = Σ left[i][c] · right[i][c] over `count` pairs of arrays of `channels` bytes; exact below 2^31.
  void (*sum_signed_pairs)(const std::int8_t* const* left, const std::int8_t* const* right, std::size_t count,
                           std::size_t channels, std::int32_t* sums);
  void (*sum_unsigned_pairs)(const std::uint8_t* const* left, const std::int8_t* const* right,
                             std::size_t count, std::size_t channels, std::int32_t* sums);
  PackingKernels<std::int32_t> packing32;
  PackingKernels<std::int64_t> packing64;
};

namespace generic {
extern const Kernels kKernels;
}
namespace avx2 {
extern const Kernels kKernels;
}
namespace avx512 {
extern const Kernels kKernels;
}

}  // namespace adapt::vector
