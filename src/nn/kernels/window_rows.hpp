#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <vector>

#include "base/aligned.hpp"
#include "nn/kernels/canvas.hpp"
#include "nn/kernels/operands.hpp"
#include "nn/kernels/window_product.hpp"
#include "numerics/vector/product.hpp"

namespace adapt {

/// The windows of a product as rows of left matrices, one for each group: the terms of a window side by side,
/// (KH, KW, I). Rows are read where they stand on a canvas (nn/kernels/canvas.hpp), if possible; else they
/// are laid out. Several neighbours in a row of pixels may share one row of a matrix, which is as wide as
/// they are together.
template <class Operands>
class WindowRows {
 public:
  using Left = typename Operands::Left;

  /// `zero` is what zero is in a row; `neighbours` divide the width of the destination.
  WindowRows(const WindowProduct& product, Left zero, std::size_t neighbours = 1);

  /// Windows (with their neighbours, as all that follow) that are there at a time at most: whole blocks.
  [[nodiscard]] std::size_t windows() const { return windows_; }
  /// Terms of a row, in whole steps of a product.
  [[nodiscard]] std::size_t depth() const { return depth_; }
  /// Where the rows of a block stand.
  [[nodiscard]] const vector::RowPlaces& places() const { return places_; }
  /// Writes the weights of an output, (I / groups, KH, KW), where a row has their terms, of one of its
  /// neighbours. Others stay as they are.
  template <class Weight, class Term>
  void place_terms(const Weight* weights, std::size_t neighbour, Term* row) const {
    switch (product_.kernel) {
      case 1:
        return place_terms_of<1>(weights, neighbour, row);
      case 3:
        return place_terms_of<9>(weights, neighbour, row);
      case 5:
        return place_terms_of<25>(weights, neighbour, row);
      default:
        place_any_terms(weights, neighbour, row);
    }
  }

  /// Goes through the windows of all images in their order: calls `body(first, count)` when `count` of them,
  /// from number `first` on, are there. `source` (N, h, w, I) copies its elements (nn/kernels/operands.hpp).
  template <class Source>
  void each_piece(const Source& source, const std::function<void(std::size_t, std::size_t)>& body);
  /// For `body`: the block of a group that begins with row `row` of those that are there.
  [[nodiscard]] const Left* block(std::size_t group, std::size_t row) const;

 private:
  /// Where a row has the term of an input of its group and a weight, `tap` counting (KH, KW).
  [[nodiscard]] std::size_t term(std::size_t input, std::size_t tap, std::size_t neighbour) const {
    const auto kernel = static_cast<std::size_t>(product_.kernel);
    return tap / kernel * canvas_.run() + neighbour * canvas_.neighbour_step() +
           tap % kernel * static_cast<std::size_t>(product_.group_inputs()) + input;
  }
  template <class Weight, class Term>
  void place_any_terms(const Weight* weights, std::size_t neighbour, Term* row) const {
    const auto inputs = static_cast<std::size_t>(product_.group_inputs());
    const auto kernel = static_cast<std::size_t>(product_.kernel);
    for (std::size_t i = 0; i < inputs; ++i) {
      for (std::size_t tap = 0; tap < kernel * kernel; ++tap) {
        row[term(i, tap, neighbour)] = Term{*weights++};
      }
    }
  }
  /// Of weights with a known number of taps: the terms of an input are a step apart from the next one's.
  template <std::size_t kTaps, class Weight, class Term>
  void place_terms_of(const Weight* weights, std::size_t neighbour, Term* row) const {
    std::array<Term*, kTaps> places;
    for (std::size_t tap = 0; tap < kTaps; ++tap) {
      places[tap] = row + term(0, tap, neighbour);
    }
    const auto inputs = static_cast<std::size_t>(product_.group_inputs());
    for (std::size_t i = 0; i < inputs; ++i, weights += kTaps) {
      for (std::size_t tap = 0; tap < kTaps; ++tap) {
        places[tap][i] = Term{weights[tap]};
      }
    }
  }
  [[nodiscard]] std::size_t windows_of_image() const {
    return static_cast<std::size_t>(product_.destination.h) * row_windows_;
  }
  /// Draws the image that begins with element `first` of the source on the canvases of its groups.
  template <class Source>
  void draw(const Source& source, std::size_t first);
  /// Lays out `count` windows of the image on the canvases, which begin with number `first`, from row `row`
  /// on.
  void lay_out(std::size_t first, std::size_t count, std::size_t row);

  WindowProduct product_;
  Left zero_;
  Canvas canvas_;
  std::size_t groups_;
  std::size_t row_windows_;  ///< of a row of the destination
  std::size_t windows_;
  std::size_t depth_;
  bool is_direct_ = false;        ///< windows are read where they stand on the canvas
  std::size_t first_window_ = 0;  ///< of those that are there, in their image, where they are
  vector::RowPlaces places_;
  std::size_t group_rows_;        ///< elements of a group's rows, and what a copy may write behind them
  AlignedVector<Left> canvases_;  ///< by group
  AlignedVector<Left> rows_;      ///< by group
};

}  // namespace adapt
