#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "data/strokes.hpp"

namespace adapt {

/// A grey drawing of 28x28 pixels, made of straight lines with round ends. Pixel (row, column) covers
/// [column, column + 1) x [row, row + 1). Additions, multiplications, divisions and square roots only, so
/// that every compiler gives the same bits.
class Canvas {
 public:
  static constexpr int kSide = 28;
  static constexpr std::size_t kPixels = std::size_t{kSide} * kSide;

  /// Draws the line from `from` to `to` of half width `radius` pixels: the ink of a pixel is `ink` times its
  /// coverage (by the distance of its centre from the line, falling from 1 to 0 within one pixel); where
  /// lines overlap the greater ink counts.
  void draw_line(Point from, Point to, float radius, float ink);

  /// Ink of each pixel, row after row.
  [[nodiscard]] const std::array<float, kPixels>& ink() const { return ink_; }

 private:
  std::array<float, kPixels> ink_ = {};
};

}  // namespace adapt
