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

/// Numbers as they stand in memory: float32, or bytes or 32-bit sums (else null) that are to be multiplied
/// with `step`. Unless `mask` is null, those whose bit (i mod 8 of byte i / 8) is not set count as 0.
struct Numbers {
  const float* floats = nullptr;
  const std::int8_t* bytes = nullptr;
  const std::int32_t* sums = nullptr;
  float step = 1;
  const std::uint8_t* mask = nullptr;
};

/// What a block of integers is made of.
template <class T>
struct PackedBits {
  T any;         ///< all values, or-ed
  T magnitudes;  ///< all values, negative ones inverted, or-ed
};

/// Windows that follow each other in an image: of each, `count` runs of `length` bytes, `pitch` apart.
struct WindowRuns {
  std::size_t step;  ///< from a window to the next one
  std::size_t count;
  std::size_t length;
  std::size_t pitch;
};

/// Bytes that count where both masks are 255; where one is 0, there is a zero in their place.
struct MaskedRow {
  const std::uint8_t* src;
  const std::uint8_t* mask;
  const std::uint8_t* other_mask;
};

/// Which bits of an integer a word takes: (integer >> shift) & mask.
struct WordPart {
  std::int32_t shift;
  std::int32_t mask;
};
/// All of them, and two parts with integer = 256 · high + low, low >= 0.
inline constexpr WordPart kWholeWord = {0, -1};
inline constexpr WordPart kHighPart = {8, -1};
inline constexpr WordPart kLowPart = {0, 255};

/// What numbers stand in memory as.
enum class Storage { none, signed_byte, unsigned_byte, float32 };

/// What becomes of the 32-bit sums of an activation whose channels come last. Factors and addends have
/// `period` elements, a multiple of the channels.
struct SumEpilogue {
  const float* factors;
  const float* addends;
  std::size_t period;
  bool rectifies;
  float operand_step;  ///< 0: no operand is rounded
  float residual_factor;
  float output_factor;
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
  /// WL <= 8; `src` has no mask.
  Tally (*quantize_to_bytes)(const Numbers& src, std::int8_t* dst, std::size_t count, const Grid& grid,
                             const Sequence* random);
  /// WL <= 16.
  Tally (*quantize_to_words)(const float* src, std::int16_t* dst, std::size_t count, const Grid& grid,
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
  void (*add_channels)(float* values, std::size_t count, const float* addend, std::size_t period);
  void (*scale_channels)(const Numbers& src, float* dst, std::size_t count, const float* factor,
                         const float* addend, std::size_t period);
  void (*combine_channels)(const Numbers& x, const Numbers& y, float* dst, std::size_t count,
                           const float* x_factor, const float* y_factor, const float* addend,
                           std::size_t period);
  void (*sum_channels)(const float* x, std::size_t count, float* lanes, std::size_t period);
  void (*sum_products)(const Numbers& x, const Numbers& y, std::size_t count, float* sums, float* products,
                       std::size_t period);
  void (*fold_lanes)(float* lanes, std::size_t period, double* sums, std::size_t channels);
  /// See numerics/epilogue.hpp.
  void (*finish_sums)(const std::int32_t* sums, std::size_t count, const SumEpilogue& epilogue,
                      Storage residual_type, const void* residual, Storage type, void* dst);
  void (*add)(const float* x, const float* y, float* dst, std::size_t count);
  /// `mask` may be null.
  void (*rectify)(float* values, std::size_t count, std::uint8_t* mask);
  void (*apply_mask)(const std::uint8_t* mask, float* values, std::size_t count);
  void (*tanh)(const float* src, float* dst, std::size_t count);
  /// dx[i] = dy[i] · (1 - y[i]^2)
  void (*tanh_gradient)(const float* y, const float* dy, float* dx, std::size_t count);
  /// dst[c · dst_stride + r] = src[r · columns + c] + 128, columns being a multiple of 16. Rows are read and
  /// written up to the next multiple of 64 beyond `rows`.
  void (*transpose_bytes)(const std::int8_t* src, std::size_t rows, std::size_t columns, std::uint8_t* dst,
                          std::size_t dst_stride);
  /// Panels of 16 columns as vector/product.hpp reads them, `panel_stride` bytes apart; rows is a multiple of
  /// 4, columns one of 16.
  void (*pack_bytes)(const std::int8_t* src, std::size_t rows, std::size_t columns, std::int8_t* dst,
                     std::size_t panel_stride);
  /// The same of words. Rows are read and written up to the next multiple of 8 beyond `rows`; `dst` is as it
  /// is in src. For pack_words, rows is a multiple of 2.
  void (*transpose_words)(const std::int16_t* src, std::size_t rows, std::size_t columns, std::int16_t* dst,
                          std::size_t dst_stride);
  void (*pack_words)(const std::int16_t* src, std::size_t rows, std::size_t columns, std::int16_t* dst,
                     std::size_t panel_stride);
  /// Writes the runs of each window side by side, the windows `dst_stride` apart. Reads and writes up to 63
  /// bytes behind the end of a run.
  void (*copy_windows)(const std::uint8_t* src, const WindowRuns& runs, std::size_t count, std::uint8_t* dst,
                       std::size_t dst_stride);
  /// Copies `count` runs of `length` bytes, no byte more, from places src_stride apart to places dst_stride
  /// apart: for runs so short that a call for each takes longer than they do.
  void (*copy_runs)(const std::uint8_t* src, std::size_t src_stride, std::size_t length, std::size_t count,
                    std::uint8_t* dst, std::size_t dst_stride);
  /// Writes the rows `dst_stride` apart; `length` is a multiple of 64, `zero` stands for zero.
  void (*copy_masked)(const MaskedRow* rows, std::size_t count, std::size_t length, std::uint8_t zero,
                      std::uint8_t* dst, std::size_t dst_stride);
  /// dst[j · dst_stride + i] = float(sums[i][j] - corrections[j]) · step of 16 × 16 sums.
  void (*transpose_sums)(const std::int32_t* sums, const std::int32_t* corrections, float step, float* dst,
                         std::size_t dst_stride);
  /// sums[c] = Σ left[i][c] · right[i][c] over `count` pairs of arrays of `channels` bytes; exact below 2^31.
  void (*sum_signed_pairs)(const std::int8_t* const* left, const std::int8_t* const* right, std::size_t count,
                           std::size_t channels, std::int32_t* sums);
  void (*sum_unsigned_pairs)(const std::uint8_t* const* left, const std::int8_t* const* right,
                             std::size_t count, std::size_t channels, std::int32_t* sums);
  /// The same in doubles.
  void (*sum_wide_pairs)(const float* const* left, const float* const* right, std::size_t count,
                         std::size_t channels, double* sums);
  /// dst[i] = the part of the integer src[i] · scale, which has at most 25 bits.
  void (*words_of)(const float* src, std::int16_t* dst, std::size_t count, float scale, const WordPart& part);
  /// wide[i] += sums[i] · factor, all integers below 2^53.
  void (*add_sums)(const std::int32_t* sums, double* wide, std::size_t count, double factor);
  /// The same of float32 numbers, rounded.
  void (*add_floats)(const float* sums, double* wide, std::size_t count, double factor);
  /// dst[i] = float(src[i] · step), `step` being a power of two.
  void (*from_wide)(const double* src, float* dst, std::size_t count, double step);
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
