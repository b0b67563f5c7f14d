#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned.hpp"
#include "nn/kernels/operands.hpp"
#include "nn/kernels/window_product.hpp"

namespace adapt {

/// The operands of a weight gradient, of some images of a batch, as a matrix product reads them.
///
/// dW(oc; ic, kh, kw) = sum over pixels of X(pixel · stride + (kh, kw) - padding, ic) · dY(pixel, oc) has the
/// pixels as its depth. X, as far as it is read, and dY lie on one grid per image; dY is zero where it has no
/// pixel. A stride s turns X into s × s times the channels on a grid s times coarser (space
/// to depth). Transposed, each channel is a row of all pixels, and weight (kh, kw) reads that row from an
/// offset on; what it finds there of a neighbouring row or image, where it should find padding, is masked.
template <class Operands>
class GradientGrid {
 public:
  using Integer = typename Operands::Integer;
  using Left = typename Operands::Left;
  using Right = typename Operands::Right;

  /// Pixels that are multiplied at a time at most: what is made of them stays in the caches.
  static constexpr std::size_t kSlice = 1024;

  /// Without groups.
  explicit GradientGrid(const ProductGeometry& geometry);

  /// Most images that are laid out at a time.
  [[nodiscard]] int images() const { return images_; }
  /// Pixels of so many, in whole steps of a product.
  [[nodiscard]] std::size_t depth(int images) const;
  /// At least so many elements of a row, in an odd number of cache lines, so that neighbouring rows do not
  /// meet in one set of the cache.
  [[nodiscard]] static std::size_t odd_lines(std::size_t elements);
  /// Rows of X: (IC, KH, KW).
  [[nodiscard]] std::size_t rows() const { return rows_.size(); }
  /// Columns of dY: channels, in whole panels.
  [[nodiscard]] std::size_t columns() const { return columns_; }

  /// What is laid out.
  struct Room {
    AlignedVector<Integer> staged;  ///< pixels of the grid, before they are transposed
    AlignedVector<Integer> line;    ///< of a source, as integers
    AlignedVector<Left> x;          ///< transposed
    AlignedVector<Right> dy;        ///< for each slice one panel (numerics/vector/product.hpp) for 16 columns
  };

  /// Lays out `count` images, at most images(), from number `first` on, in slices of `slice` pixels, whole
  /// steps; `x` (N, H, W, IC) and `dy` (N, OH, OW, OC) copy their elements (nn/kernels/operands.hpp).
  template <class X, class Gradient>
  void lay_out(const X& x, const Gradient& dy, int first, int count, std::size_t slice, Room& room) const;

  /// Writes pixels [first, first + length) of rows [row, row + kProductTile) to `to`, `stride` apart; rows
  /// behind the last one are some other row. `length` is in whole steps.
  void copy_rows(const Room& room, std::size_t row, std::size_t first, std::size_t length, Left* to,
                 std::size_t stride) const;

 private:
  /// Where a row of X comes from.
  struct Row {
    std::size_t begin;  ///< in Room::x, of the first pixel
    std::size_t mask_y;
    std::size_t mask_x;
  };

  void make_rows();
  void make_masks();
  [[nodiscard]] int shift_of(int tap) const;
  [[nodiscard]] int phase_of(int tap) const;
  /// A row of X, of one phase along the other axis, on the grid.
  void stage_row(const Integer* row, Integer* pixels) const;
  // Of the image that begins with an element of the source; `line` is memory.
  template <class Source>
  void stage_input(const Source& source, std::size_t image, Integer* to, AlignedVector<Integer>& line) const;
  template <class Source>
  void stage_output(const Source& source, std::size_t image, Integer* to, AlignedVector<Integer>& line) const;
  template <class Source>
  void lay_out_input(const Source& x, int first, int count, Room& room) const;
  template <class Source>
  void lay_out_output(const Source& dy, int first, int count, std::size_t slice, Room& room) const;
  /// The panels of `depth` pixels of the grid.
  void pack(const Integer* dy, std::size_t depth, std::size_t slice, Room& room) const;

  ProductGeometry geometry_;
  std::vector<int> phases_;  ///< along one axis: remainders of a pixel of X by the stride that are read
  int grid_height_;
  int grid_width_;
  std::size_t grid_;  ///< pixels of an image's grid
  int images_;
  std::size_t channels_;  ///< of X: those of all phases, in whole tiles
  std::size_t columns_;
  std::size_t lead_;        ///< elements before a row that an offset may reach
  std::size_t row_stride_;  ///< elements
  std::vector<Row> rows_;
  std::vector<Left> masks_;  ///< by axis and weight: all bits where the pixel that it reads is in the grid
};

}  // namespace adapt
