#pragma once

// Products of matrices whose bits do not depend on the processor: exact ones of integers, in the layouts that
// dot products read, and ones of float32 numbers in a fixed order. Like kernels.hpp this header is seen by
// compilations for several instruction sets and holds no inline function.

#include <cstddef>
#include <cstdint>

namespace adapt::vector {

/// Rows of a block of the left matrix, and columns of a panel of the right one.
inline constexpr std::size_t kProductTile = 16;
/// A depth that is a multiple of it suits every instruction set.
inline constexpr std::size_t kProductDepth = 64;
/// Neighbours along the depth that stand together in a panel of bytes, and of 16-bit words.
inline constexpr std::size_t kByteGroup = 4;
inline constexpr std::size_t kWordGroup = 2;

/// Where the rows of a block stand: in elements, from a row to the next one, and, where a row is in several
/// runs of equal length, from a run to the next one.
struct RowPlaces {
  std::size_t row;
  std::size_t runs = 1;
  std::size_t pitch = 0;
};

/// Where the sums of a product stand: in elements, from a row to the next one, from a block, and from a
/// panel. The 16 sums of a row and panel stand side by side.
struct SumPlaces {
  std::size_t row;
  std::size_t block;
  std::size_t panel;
};

/// Products of integer matrices. Sums wrap around at 2^32.
template <class Left, class Right>
struct IntegerProducts {
  std::size_t depth_step;  ///< the depth of a run must be a multiple of it
  /// c(p, b, i, j) += sum over k < depth of row(b, i)[k] · panel(p, k, j) for `panel_count` panels and
  /// `count` blocks of 16 rows, row(b, i) beginning at blocks[b] + i · rows.row. With G neighbours along the
  /// depth that stand together, panel(p, k, j) stands at
  /// panels[p · 16 · depth + (k / G · 16 + j) · G + k mod G]. Unless `initial` is null, c(p, b, i, j) is
  /// initial[p · 16 + j] before.
  void (*multiply)(const Left* const* blocks, std::size_t count, const RowPlaces& rows, const Right* panels,
                   std::size_t panel_count, std::size_t depth, const std::int32_t* initial, std::int32_t* c,
                   const SumPlaces& places);
  /// sums[j] = sum over k < depth of panel(k, j); depth is a multiple of kProductDepth.
  void (*sum_columns)(const Right* panel, std::size_t depth, std::int32_t* sums);
};
using ByteProducts = IntegerProducts<std::uint8_t, std::int8_t>;
using WordProducts = IntegerProducts<std::int16_t, std::int16_t>;

/// Rows that a sum of outer products has at a time at least.
inline constexpr std::size_t kOuterRows = 8;

/// Where a sum of outer products finds its pixels: `length` of them side by side, and the elements of a
/// matrix from a pixel to the next one.
struct PixelRun {
  const float* left;
  const float* right;
};
struct PixelRuns {
  const PixelRun* runs;
  std::size_t count;
  std::size_t length;
  std::size_t left_step;
  std::size_t right_step;
};

/// A part of the terms of a product of float32 matrices: `depth` neighbours from element `left` of a row on,
/// which meet the rows of a panel from number `right` on.
struct TermRun {
  std::size_t left;
  std::size_t right;
  std::size_t depth;
};

/// A left matrix of `rows` rows, row_step apart, and a right one of panels of 16 columns, panel_step elements
/// apart, whose rows are 16 elements.
struct FloatMatrices {
  const float* left;
  std::size_t rows;
  std::size_t row_step;
  const float* panels;
  std::size_t panel_step;
};

/// Of float32 numbers: a sum becomes fma(left, right, sum) for one term after the other (IEEE 754,
/// fusedMultiplyAdd, to nearest). Which NaN comes of two is not said.
struct FloatProducts {
  /// c[i · c_row + j] (0 for -0) = the sum, from 0 on, over the terms of `count` runs of the products of row
  /// i and column j < 16 · `panels`.
  void (*multiply)(const FloatMatrices& matrices, const TermRun* runs, std::size_t count, std::size_t panels,
                   float* c, std::size_t c_row);
  /// c[i · c_row + j] ← fma(left[i], right[j], ·) for i < `rows`, a multiple of kOuterRows, and j < 16 ·
  /// `panels` (1 or 2), over all pixels, one after the other; left[0] of a pixel stands `left_first` elements
  /// behind that of its run, right[0] likewise.
  void (*add_outer)(const PixelRuns& pixels, std::size_t left_first, std::size_t right_first,
                    std::size_t rows, std::size_t panels, float* c, std::size_t c_row);
};

// Of each instruction set; 8-bit products where they are faster than those of the same numbers in 16 bits.
namespace generic {
extern const WordProducts kWords;
extern const FloatProducts kFloatProducts;
}  // namespace generic
namespace avx2 {
extern const WordProducts kWords;
extern const FloatProducts kFloatProducts;
}  // namespace avx2
namespace avx512 {
extern const WordProducts kWords;
extern const FloatProducts kFloatProducts;
}  // namespace avx512
namespace avx_vnni {
extern const ByteProducts kBytes;
extern const WordProducts kWords;
}  // namespace avx_vnni
namespace vnni {
extern const ByteProducts kBytes;
extern const WordProducts kWords;
}  // namespace vnni
namespace amx {
extern const ByteProducts kBytes;
}

}  // namespace adapt::vector
