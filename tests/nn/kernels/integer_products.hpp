#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <ostream>
#include <string>
#include <vector>

#include "nn/kernels/product_sink.hpp"
#include "nn/kernels/weight_gradient.hpp"
#include "nn/kernels/window_product.hpp"
#include "numerics/random.hpp"

namespace adapt {

inline void PrintTo(const ProductGeometry& g, std::ostream* out) {
  *out << "batch " << g.input.n << ", " << g.input.c << " to " << g.output.c << " channels, " << g.input.h
       << "x" << g.input.w << " to " << g.output.h << "x" << g.output.w << ", kernel " << g.kernel
       << ", stride " << g.stride << ", padding " << g.padding << ", groups " << g.groups;
}

}  // namespace adapt

namespace adapt::test {

/// Integers of which many are extreme, or those of a narrow range.
template <class Integer>
class RandomIntegers {
 public:
  explicit RandomIntegers(std::uint64_t seed, int lowest = std::numeric_limits<Integer>::min(),
                          int highest = std::numeric_limits<Integer>::max())
      : random_({.seed = seed}), lowest_(lowest), highest_(highest) {}

  Integer operator()() {
    const std::uint32_t kind = random_.below(4);
    const auto range = static_cast<std::uint32_t>(highest_ - lowest_ + 1);
    return static_cast<Integer>(kind == 0   ? lowest_
                                : kind == 1 ? highest_
                                            : lowest_ + static_cast<int>(random_.below(range)));
  }

 private:
  RandomSequence random_;
  int lowest_;
  int highest_;
};
using RandomBytes = RandomIntegers<std::int8_t>;
using RandomWords = RandomIntegers<std::int16_t>;

inline Shape output_of(const Shape& in, int channels, int kernel, int stride, int padding) {
  return {in.n, channels, (in.h + 2 * padding - kernel) / stride + 1,
          (in.w + 2 * padding - kernel) / stride + 1};
}

/// Shapes of a part of a sweep: those of every run, times ADAPT_SWEEP, a number of the environment.
inline int sweep_shapes(int usual) {
  const char* const factor = std::getenv("ADAPT_SWEEP");
  return factor == nullptr ? usual : usual * std::stoi(factor);
}

/// Small shapes of which a third is such that oneDNN's transposed convolution is wrong.
inline ProductGeometry small_geometry(RandomSequence& random) {
  const auto pick = [&random](int low, int high) {
    return low + static_cast<int>(random.below(static_cast<std::uint32_t>(high - low + 1)));
  };
  const int kernel = pick(1, 4);
  const int stride = pick(1, 5);
  const int padding = pick(0, random.below(8) == 0 ? kernel + 1 : kernel - 1);
  const int least = std::max(1, kernel - 2 * padding);
  const int groups = std::max(1, pick(-3, 4));  // often 1
  const bool is_depthwise = random.below(8) == 0;
  const int inputs = is_depthwise ? 1 : pick(1, 20 / groups);
  const int outputs = is_depthwise ? 1 : pick(1, 20 / groups);
  const int count = is_depthwise ? pick(1, 70) : groups;
  const Shape in = {pick(1, 2), count * inputs, pick(least, least + 6), pick(least, least + 6)};
  return {in, output_of(in, count * outputs, kernel, stride, padding), kernel, stride, padding, count};
}

/// All sums that `run` gives a sink.
template <class Run>
std::vector<std::int32_t> sums_of(std::size_t count, Run run) {
  std::vector<std::int32_t> sums(count, -1);
  WholeSink sink(sums.data());
  run(sink);
  return sums;
}

inline std::size_t count(const Shape& shape) { return static_cast<std::size_t>(shape.elements()); }

/// The three products of a layer with given operands, by loops in int64.
template <class Integer>
struct IntegerProducts {
  using Draw = RandomIntegers<Integer>;

  IntegerProducts(const ProductGeometry& shape, Draw draw) : IntegerProducts(shape, draw, draw, draw) {}
  IntegerProducts(const ProductGeometry& shape, Draw draw_x, Draw draw_dy, Draw draw_weights)
      : geometry(shape),
        area(shape.kernel * shape.kernel),
        x(count(shape.input)),
        dy(count(shape.output)),
        weights(static_cast<std::size_t>(shape.group_inputs() * shape.output.c * area)),
        forward(dy.size()),
        data_gradient(x.size()),
        weight_gradient(weights.size()) {
    std::generate(x.begin(), x.end(), draw_x);
    std::generate(dy.begin(), dy.end(), draw_dy);
    std::generate(weights.begin(), weights.end(), draw_weights);
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
  std::vector<Integer> x;        ///< (N, H, W, IC)
  std::vector<Integer> dy;       ///< (N, OH, OW, OC)
  std::vector<Integer> weights;  ///< (OC, IC / groups, KH, KW)
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

using ByteProducts = IntegerProducts<std::int8_t>;
using WordProducts = IntegerProducts<std::int16_t>;

/// The forward product of Product (Im2colProduct, DepthwiseProduct), which takes the `options`, too, against
/// the loops, with a source of signed bytes and one of unsigned.
template <class Product, class... Options>
void expect_product_equals_loops(const ProductGeometry& geometry, Options... options) {
  ByteProducts data(geometry, RandomBytes(1));
  const std::vector<std::int64_t> of_signed = data.forward;
  std::vector<std::uint8_t> unsigned_source(data.x.size());
  std::transform(data.x.begin(), data.x.end(), unsigned_source.begin(),
                 [](std::int8_t byte) { return static_cast<std::uint8_t>(byte + 128); });
  const auto run = [&](const void* source, bool is_unsigned) {
    Product product(forward_product(geometry), is_unsigned, options...);
    product.set_weights(data.weights);
    const auto sums = sums_of(data.forward.size(), [&](SumSink& sink) { product.run(source, sink); });
    // The same in pieces, of which each is forgotten.
    std::vector<std::int32_t> collected;
    AlignedVector<std::int32_t> memory;
    PassingSink pieces(memory, [&](std::size_t first, std::span<const std::int32_t> piece) {
      EXPECT_EQ(first, collected.size());
      EXPECT_EQ(first % channel_period(static_cast<std::size_t>(geometry.output.c)), 0U);
      collected.insert(collected.end(), piece.begin(), piece.end());
    });
    product.run(source, pieces);
    EXPECT_EQ(collected, sums);
    return std::vector<std::int64_t>(sums.begin(), sums.end());
  };
  EXPECT_EQ(run(data.x.data(), false), of_signed);
  std::fill(data.x.begin(), data.x.end(), std::int8_t{1});
  data.multiply();  // what 1 in each byte adds
  std::vector<std::int64_t> of_unsigned = of_signed;
  for (std::size_t i = 0; i < of_unsigned.size(); ++i) {
    of_unsigned[i] += 128 * data.forward[i];
  }
  EXPECT_EQ(run(unsigned_source.data(), true), of_unsigned);
}

/// WeightGradient against the loops.
inline void expect_weight_gradient(const ByteProducts& data) {
  const auto channels = static_cast<std::size_t>(data.geometry.output.c);
  std::vector<std::int64_t> bias(channels);
  for (std::size_t i = 0; i < data.dy.size(); ++i) {
    bias[i % channels] += data.dy[i];
  }
  WeightGradientScratch scratch;
  std::vector<float> result(data.weights.size(), -1.0F);
  std::vector<float> bias_result(channels, -1.0F);
  const WeightGradient product(data.geometry);
  for (int repeat = 0; repeat < 2; ++repeat) {  // what is left in the scratch must not matter
    product.run(data.x.data(), data.dy.data(), 0x1p-9F, 0x1p-3F, result.data(), bias_result.data(), scratch);
    for (std::size_t i = 0; i < result.size(); ++i) {
      ASSERT_EQ(result[i], static_cast<float>(data.weight_gradient[i]) * 0x1p-9F) << i;
    }
    for (std::size_t i = 0; i < channels; ++i) {
      ASSERT_EQ(bias_result[i], static_cast<float>(bias[i]) * 0x1p-3F) << i;
    }
  }
}

}  // namespace adapt::test
