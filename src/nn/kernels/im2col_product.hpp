#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned.hpp"
#include "nn/kernels/byte_product.hpp"
#include "nn/kernels/operands.hpp"
#include "nn/kernels/window_product.hpp"
#include "numerics/vector/product.hpp"

namespace adapt {

/// By our own matrix products: each window is a row, its terms side by side (pixels between those of a
/// transposed one's source are zeros), multiplied with the weights as columns, group by group. Rows are read
/// where they stand if possible, else laid out.
template <class Operands>
class Im2colProduct : public ByteProduct {
 public:
  using Left = typename Operands::Left;

  Im2colProduct(const WindowProduct& product, bool is_unsigned);

  void set_weights(std::span<const std::int8_t> weights) override;
  void run(const void* source, SumSink& sums) override;

 private:
  template <class Source>
  void run_on(const Source* source, SumSink& sums);
  /// Along an axis: the pixel of the canvas at which pixel 0 of the source stands.
  [[nodiscard]] int origin() const;
  /// Draws an image on the canvases of its groups.
  template <class Source>
  void draw(const Source* image);
  template <class Source>
  void draw_group(const Source* image, Left* canvas) const;
  /// Lays out `count` windows of the image on the canvases, which begin with number `first`, from row `row`
  /// on.
  void lay_out(std::size_t first, std::size_t count, std::size_t row);
  /// The rows of a group.
  [[nodiscard]] Left* rows_of(std::size_t group) { return rows_.data() + group * group_rows_; }
  /// Where a window stands on a canvas.
  [[nodiscard]] std::size_t corner_of(std::size_t window) const;
  /// The block of a group that begins with a row of the piece.
  [[nodiscard]] const Left* block_at(std::size_t group, std::size_t row);
  /// Sums of `count` rows, of all groups.
  void multiply(std::int32_t* sums, std::size_t count);
  void multiply_group(std::size_t group, std::int32_t* sums, std::size_t count);
  /// The same of `count` rows from `first` on, a multiple of a block's, where the sums stand as `places`
  /// says.
  void multiply_blocks(std::size_t group, std::size_t first, std::size_t count, std::int32_t* sums,
                       const vector::SumPlaces& places);

  WindowProduct product_;
  bool is_unsigned_;  ///< the source
  Left zero_;         ///< what zero is in a row
  int spread_;        ///< from a pixel of the source to the next one on the canvas
  int step_;          ///< from a window to the next one on the canvas
  int canvas_height_;
  int canvas_width_;
  std::size_t canvas_size_;  ///< elements of a group's
  std::size_t groups_;
  std::size_t windows_;  ///< of a piece
  std::size_t depth_;    ///< terms, in whole steps
  std::size_t outputs_;  ///< channels of a group
  std::size_t panels_;   ///< of a group's weights
  AlignedVector<typename Operands::Right> weights_;
  bool is_direct_ = false;             ///< windows are read where they stand on the canvas
  vector::RowPlaces row_places_;       ///< of a block of windows
  std::size_t first_window_ = 0;       ///< of the piece, in its image, where they are
  std::size_t group_rows_;             ///< elements of a group's rows, and what a copy may write behind them
  std::vector<std::int32_t> initial_;  ///< by group and column: what makes up for zero_
  AlignedVector<Left> canvases_;       ///< by group: an image with all pixels that a window covers
  AlignedVector<Left> rows_;           ///< by group
  std::vector<const Left*> blocks_;
  AlignedVector<std::int32_t> tiles_;  ///< sums of which some are wanted
};

}  // namespace adapt
