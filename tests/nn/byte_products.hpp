#pragma once

#include <algorithm>
#include <ostream>
#include <vector>

#include "nn/window_product.hpp"
#include "numerics/random.hpp"

namespace adapt {

inline void PrintTo(const ProductGeometry& g, std::ostream* out) {
  *out << "batch " << g.input.n << ", " << g.input.c << " to " << g.output.c << " channels, " << g.input.h
       << "x" << g.input.w << " to " << g.output.h << "x" << g.output.w << ", kernel " << g.kernel
       << ", stride " << g.stride << ", padding " << g.padding << ", groups " << g.groups;
}

}  // namespace adapt

namespace adapt::test {

/// Bytes of which many are extreme, or those of a narrow range.
class RandomBytes {
 public:
  explicit RandomBytes(std::uint64_t seed, int lowest = -128, int highest = 127)
      : random_({.seed = seed}), lowest_(lowest), highest_(highest) {}

  std::int8_t operator()() {
    const std::uint32_t kind = random_.below(4);
    const auto range = static_cast<std::uint32_t>(highest_ - lowest_ + 1);
    return static_cast<std::int8_t>(kind == 0   ? lowest_
                                    : kind == 1 ? highest_
                                                : lowest_ + static_cast<int>(random_.below(range)));
  }

 private:
  RandomSequence random_;
  int lowest_;
  int highest_;
};

inline std::size_t count(const Shape& shape) { return static_cast<std::size_t>(shape.elements()); }

/// The three products of a layer with given operands, by loops in int64.
struct ByteProducts {
  ByteProducts(const ProductGeometry& shape, RandomBytes draw)
      : geometry(shape),
        area(shape.kernel * shape.kernel),
        x(count(shape.input)),
        dy(count(shape.output)),
        weights(static_cast<std::size_t>(shape.group_inputs() * shape.output.c * area)),
        forward(dy.size()),
        data_gradient(x.size()),
        weight_gradient(weights.size()) {
    std::generate(x.begin(), x.end(), draw);
    std::generate(dy.begin(), dy.end(), draw);
    std::generate(weights.begin(), weights.end(), draw);
    multiply();
  }

  static std::size_t at(const Shape& s, int n, int c, int h, int w) {
    return static_cast<std::size_t>(((n * s.h + h) * s.w + w) * s.c + c);
  }

  /// From the operands, which may have been changed.
  void multiply() {
    std::fill(forward.begin(), forward.end(), 0);
    std::fill(data_gradient.begin(), data_gradient.end(), 0);
    std::fill(weight_gradient.begin(), weight_gradient.end(), 0);
    const auto& [in, out, kernel, stride, padding, groups] = geometry;
    for (int n = 0; n < out.n; ++n) {
      for (int h = 0; h < out.h; ++h) {
        for (int w = 0; w < out.w; ++w) {
          for (int k = 0; k < area; ++k) {
            const int y = h * stride + k / kernel - padding;
            const int z = w * stride + k % kernel - padding;
            if (y >= 0 && z >= 0 && y < in.h && z < in.w) {
              multiply_pixels(at(in, n, 0, y, z), at(out, n, 0, h, w), k);
            }
          }
        }
      }
    }
  }

  ProductGeometry geometry;
  int area;
  std::vector<std::int8_t> x;        ///< (N, H, W, IC)
  std::vector<std::int8_t> dy;       ///< (N, OH, OW, OC)
  std::vector<std::int8_t> weights;  ///< (OC, IC / groups, KH, KW)
  std::vector<std::int64_t> forward;
  std::vector<std::int64_t> data_gradient;
  std::vector<std::int64_t> weight_gradient;

 private:
  void multiply_pixels(std::size_t from, std::size_t to, int tap) {
    const auto inputs = static_cast<std::size_t>(geometry.group_inputs());
    const auto outputs = static_cast<std::size_t>(geometry.group_outputs());
    for (std::size_t o = 0; o < static_cast<std::size_t>(geometry.output.c); ++o) {
      for (std::size_t i = 0; i < inputs; ++i) {
        const std::size_t w =
            (o * inputs + i) * static_cast<std::size_t>(area) + static_cast<std::size_t>(tap);
        const std::size_t pixel = from + o / outputs * inputs + i;
        forward[to + o] += x[pixel] * weights[w];
        data_gradient[pixel] += dy[to + o] * weights[w];
        weight_gradient[w] += x[pixel] * dy[to + o];
      }
    }
  }
};

}  // namespace adapt::test
