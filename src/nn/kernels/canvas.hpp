#pragma once

#include <algorithm>
#include <cstddef>

#include "nn/kernels/window_product.hpp"

namespace adapt {

/// An image of a window product's source, the channels of one group, laid out so that each window is there
/// whole: with a border of zeros as far as windows reach beyond the image, and without what no window covers.
/// A window is `kernel` runs of run() elements, pitch() apart: kernel · channels, or more where several
/// neighbours in a row make one wider window. Not of transposed products: those of exact sums have another
/// form (nn/kernels/exact_data_gradient.hpp).
class Canvas {
 public:
  /// Windows of `neighbours` each, of which a row of the destination has a multiple.
  explicit Canvas(const WindowProduct& product, std::size_t neighbours = 1)
      : source_(product.source),
        neighbours_(neighbours),
        kernel_(static_cast<std::size_t>(product.kernel)),
        width_of_windows_(static_cast<std::size_t>(product.destination.w) / neighbours),
        channels_(static_cast<std::size_t>(product.group_inputs())),
        origin_(product.padding),
        step_(static_cast<std::size_t>(product.stride)),
        height_(size_of(product.destination.h, product)),
        width_(size_of(product.destination.w, product)) {}

  /// Elements, as all that follow.
  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(height_) * pitch(); }
  /// From a row of pixels to the next one.
  [[nodiscard]] std::size_t pitch() const { return static_cast<std::size_t>(width_) * channels_; }
  /// From a window to the next one in a row.
  [[nodiscard]] std::size_t step() const { return neighbours_ * neighbour_step(); }
  /// From a neighbour to the next one.
  [[nodiscard]] std::size_t neighbour_step() const { return step_ * channels_; }
  [[nodiscard]] std::size_t run() const { return kernel_ * channels_ + (neighbours_ - 1) * neighbour_step(); }
  /// Where a window begins, counted row by row.
  [[nodiscard]] std::size_t corner(std::size_t window) const {
    return window / width_of_windows_ * step_ * pitch() + window % width_of_windows_ * step();
  }

  /// Draws the image of which the group begins with element `first` of the source (N, h, w, I), which copies
  /// its elements (nn/kernels/operands.hpp), on a canvas of zeros or of another image.
  template <class Source, class Left>
  void draw(const Source& source, std::size_t first, Left* canvas) const;

 private:
  static int size_of(int windows, const WindowProduct& product) {
    return (windows - 1) * product.stride + product.kernel;
  }

  Shape source_;
  std::size_t neighbours_;
  std::size_t kernel_;
  std::size_t width_of_windows_;  ///< of a row
  std::size_t channels_;
  int origin_;  ///< along an axis: where pixel 0 of the source stands
  std::size_t step_;
  int height_;
  int width_;
};

template <class Source, class Left>
void Canvas::draw(const Source& source, std::size_t first, Left* canvas) const {
  const auto image_channels = static_cast<std::size_t>(source_.c);
  const int rows = std::min(height_ - origin_, source_.h);  // that are on the canvas, as columns
  const int columns = std::max(0, std::min(width_ - origin_, source_.w));
  // Where they stand side by side on both, they are one piece.
  const bool is_whole = channels_ == image_channels;
  const std::size_t pieces = is_whole ? 1 : static_cast<std::size_t>(columns);
  const std::size_t length = is_whole ? static_cast<std::size_t>(columns) * channels_ : channels_;
  for (int y = 0; y < rows; ++y) {
    std::size_t from = first + static_cast<std::size_t>(y * source_.w) * image_channels;
    Left* to = canvas + static_cast<std::size_t>((origin_ + y) * width_ + origin_) * channels_;
    for (std::size_t piece = 0; piece < pieces; ++piece, from += image_channels, to += channels_) {
      source.copy(from, length, to);
    }
  }
}

}  // namespace adapt
