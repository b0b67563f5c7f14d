#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "base/error.hpp"

namespace adapt {

/// Shape of an activation (N, C, H, W); in memory channels come last.
struct Shape {
  int n = 0;
  int c = 0;
  int h = 0;
  int w = 0;

  [[nodiscard]] std::int64_t elements() const { return std::int64_t{n} * c * h * w; }
  bool operator==(const Shape&) const = default;
};

/// "(8, 64, 16, 16)".
inline std::string text_of(const Shape& shape) {
  return concat("(", shape.n, ", ", shape.c, ", ", shape.h, ", ", shape.w, ")");
}

/// Square windows over maps, the same along both axes.
struct Window {
  int kernel = 1;
  int stride = 1;
  int padding = 0;  ///< zeros on all sides

  /// Windows along an axis of `size`; those that do not fit whole are left out.
  [[nodiscard]] int places(int size) const { return (size + 2 * padding - kernel) / stride + 1; }
  /// What padding behind an axis of `size` makes exactly `places` windows; negative where the last pixels are
  /// in none.
  [[nodiscard]] int padding_behind(int size, int places) const {
    return (places - 1) * stride + kernel - size - padding;
  }
  /// The map of `channels` that windows over `input` make. Throws BadInput where none fits.
  [[nodiscard]] Shape output(const Shape& input, int channels) const {
    if (input.h + 2 * padding < kernel || input.w + 2 * padding < kernel) {
      throw BadInput(concat("kernel ", kernel, " with padding ", padding, " does not fit its input ",
                            text_of(input), "; expected a kernel of at most ",
                            std::min(input.h, input.w) + 2 * padding));
    }
    return {input.n, channels, places(input.h), places(input.w)};
  }
};

}  // namespace adapt
