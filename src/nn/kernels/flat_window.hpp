#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "nn/kernels/window_product.hpp"

namespace adapt {

/// A layer of which one window is the whole image, without a border, reads each number of the image once: it
/// is a linear layer over the image as it stands, (H, W, IC), whose rows are read in one piece. Exact sums
/// are the same in either form. Elsewhere the layer is what it was.
class FlatWindow {
 public:
  explicit FlatWindow(const ProductGeometry& layer)
      : layer_(layer),
        is_flat_(layer.kernel > 1 && layer.groups == 1 && layer.padding == 0 && layer.output.h == 1 &&
                 layer.output.w == 1 && layer.input.h == layer.kernel && layer.input.w == layer.kernel) {}

  [[nodiscard]] bool is_flat() const { return is_flat_; }

  /// The product in its simpler form.
  [[nodiscard]] ProductGeometry geometry() const {
    if (!is_flat_) {
      return layer_;
    }
    const Shape& in = layer_.input;
    return {.input = {in.n, in.c * in.h * in.w, 1, 1}, .output = layer_.output};
  }

  /// Brings weights of the layer, (OC, IC, KH, KW), into the order that geometry() has, (OC, H, W, IC).
  template <class Number>
  void flatten(std::span<Number> weights) const {
    if (is_flat_) {
      const std::vector<Number> layer(weights.begin(), weights.end());
      each_weight([&](std::size_t place, std::size_t flat) { weights[flat] = layer[place]; });
    }
  }
  /// The way back.
  template <class Number>
  void unflatten(std::span<Number> weights) const {
    if (is_flat_) {
      const std::vector<Number> flattened(weights.begin(), weights.end());
      each_weight([&](std::size_t place, std::size_t flat) { weights[place] = flattened[flat]; });
    }
  }

 private:
  /// Calls `body` with the place of each weight in either order.
  template <class Body>
  void each_weight(Body body) const {
    const auto inputs = static_cast<std::size_t>(layer_.input.c);
    const auto area = static_cast<std::size_t>(layer_.kernel) * static_cast<std::size_t>(layer_.kernel);
    std::size_t flat = 0;
    for (std::size_t o = 0; o < static_cast<std::size_t>(layer_.output.c); ++o) {
      for (std::size_t tap = 0; tap < area; ++tap) {
        for (std::size_t i = 0; i < inputs; ++i, ++flat) {
          body((o * inputs + i) * area + tap, flat);
        }
      }
    }
  }

  ProductGeometry layer_;
  bool is_flat_;
};

}  // namespace adapt
