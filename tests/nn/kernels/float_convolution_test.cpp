// All three products of float32 tensors, bit for bit, against loops that make each sum in the order that is
// promised. As the whole test runs on every instruction set, these give the same bits.

#include "nn/kernels/float_convolution.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "nn/kernels/float_weight_gradient.hpp"
#include "nn/kernels/integer_products.hpp"

namespace adapt {
namespace {

using test::count;

/// Numbers of very different magnitudes, so that each rounding shows, some zeros, and some whose products
/// vanish, with or without a sign.
std::vector<float> random_numbers(std::size_t count, std::uint64_t seed) {
  RandomSequence random({.seed = seed});
  std::vector<float> numbers(count);
  std::ranges::generate(numbers, [&] {
    const int exponent = static_cast<int>(random.below(24)) - 12;
    const std::uint32_t kind = random.below(16);
    return kind == 0   ? 0.0F
           : kind == 1 ? -0.0F
                       : std::ldexp(static_cast<float>(random.normal()), kind < 5 ? -90 : exponent);
  });
  return numbers;
}

/// A sum of products: in float32 by fused operations, or, of depthwise layers, in doubles.
class Sum {
 public:
  explicit Sum(bool in_doubles) : in_doubles_(in_doubles) {}

  void add(float left, float right) {
    narrow_ = std::fma(left, right, narrow_);
    wide_ += double{left} * double{right};
  }
  /// Adds the float32 sum so far to the finished ones.
  void end_piece() {
    finished_ += double{narrow_};
    narrow_ = 0;
  }
  [[nodiscard]] float result() const {
    return in_doubles_ ? static_cast<float>(wide_) : static_cast<float>(finished_ + double{narrow_}) + 0.0F;
  }

 private:
  bool in_doubles_;
  float narrow_ = 0;
  double finished_ = 0;
  double wide_ = 0;
};

struct FloatProducts {
  explicit FloatProducts(const ProductGeometry& shape)
      : geometry(shape),
        window(forward_product(shape)),
        x(random_numbers(count(shape.input), 1)),
        dy(random_numbers(count(shape.output), 2)),
        weights(random_numbers(static_cast<std::size_t>(shape.output.c) * window.terms(), 3)) {}

  [[nodiscard]] static std::size_t at(const Shape& s, int n, int c, int h, int w) {
    return static_cast<std::size_t>(((n * s.h + h) * s.w + w) * s.c + c);
  }
  [[nodiscard]] std::size_t weight_at(int o, int i, int tap) const {
    return static_cast<std::size_t>((o * geometry.group_inputs() + i) * geometry.kernel * geometry.kernel +
                                    tap);
  }
  [[nodiscard]] int first_input(int o) const {
    return o / geometry.group_outputs() * geometry.group_inputs();
  }
  /// The element of x of an input channel that a weight meets in the sum at (n, h, w); -1: none.
  [[nodiscard]] std::ptrdiff_t source(int n, int h, int w, int tap, int channel) const {
    const int y = window.source_of(h, tap / geometry.kernel, geometry.input.h);
    const int z = window.source_of(w, tap % geometry.kernel, geometry.input.w);
    return y < 0 || z < 0 ? -1 : static_cast<std::ptrdiff_t>(at(geometry.input, n, channel, y, z));
  }

  [[nodiscard]] std::vector<float> forward() const {
    std::vector<float> y;
    const Shape& out = geometry.output;
    for (std::size_t index = 0; index < count(out); ++index) {
      const auto [n, o, h, w] = place(out, index);
      Sum sum(window.is_depthwise());
      for (int tap = 0; tap < geometry.kernel * geometry.kernel; ++tap) {
        for (int i = 0; i < geometry.group_inputs(); ++i) {
          const std::ptrdiff_t from = source(n, h, w, tap, first_input(o) + i);
          if (from >= 0) {
            sum.add(x[static_cast<std::size_t>(from)], weights[weight_at(o, i, tap)]);
          }
        }
      }
      y.push_back(sum.result());
    }
    return y;
  }

  /// Output pixels in their order: from the last weight to the first one.
  [[nodiscard]] std::vector<float> data_gradient() const {
    std::vector<Sum> sums(x.size(), Sum(window.is_depthwise()));
    const Shape& out = geometry.output;
    for (int n = 0; n < out.n; ++n) {
      for (int h = 0; h < out.h; ++h) {
        for (int w = 0; w < out.w; ++w) {
          for (int tap = 0; tap < geometry.kernel * geometry.kernel; ++tap) {
            for (int o = 0; o < out.c; ++o) {
              for (int i = 0; i < geometry.group_inputs(); ++i) {
                const std::ptrdiff_t to = source(n, h, w, tap, first_input(o) + i);
                if (to >= 0) {
                  sums[static_cast<std::size_t>(to)].add(dy[at(out, n, o, h, w)],
                                                         weights[weight_at(o, i, tap)]);
                }
              }
            }
          }
        }
      }
    }
    return results(sums);
  }

  /// In pieces of so many images.
  [[nodiscard]] std::vector<float> weight_gradient(int images) const {
    std::vector<Sum> sums(weights.size(), Sum(window.is_depthwise()));
    const Shape& out = geometry.output;
    for (std::size_t number = 0; number < count(out); ++number) {
      const std::size_t index = ordered(number);
      const auto [n, o, h, w] = place(out, index);
      for (int tap = 0; tap < geometry.kernel * geometry.kernel; ++tap) {
        for (int i = 0; i < geometry.group_inputs(); ++i) {
          const std::ptrdiff_t from = source(n, h, w, tap, first_input(o) + i);
          if (from >= 0) {
            sums[weight_at(o, i, tap)].add(x[static_cast<std::size_t>(from)], dy[index]);
          }
        }
      }
      const std::size_t image = count(out) / static_cast<std::size_t>(out.n);
      if ((number + 1) % (image * static_cast<std::size_t>(images)) == 0) {
        std::ranges::for_each(sums, [](Sum& sum) { sum.end_piece(); });
      }
    }
    return results(sums);
  }

  ProductGeometry geometry;
  WindowProduct window;
  std::vector<float> x;
  std::vector<float> dy;
  std::vector<float> weights;

 private:
  struct Place {
    int n;
    int c;
    int h;
    int w;
  };
  [[nodiscard]] static Place place(const Shape& s, std::size_t index) {
    const int i = static_cast<int>(index);
    return {i / (s.c * s.w * s.h), i % s.c, i / (s.c * s.w) % s.h, i / s.c % s.w};
  }
  /// The element of dY whose turn it is: on small maps, the same place of all images comes first (these
  /// shapes have one slice of images); where sums are doubles, their order is that of memory.
  [[nodiscard]] std::size_t ordered(std::size_t number) const {
    const Shape& out = geometry.output;
    const auto images = static_cast<std::size_t>(out.n);
    const auto channels = static_cast<std::size_t>(out.c);
    const std::size_t pixels = count(out) / images / channels;
    const std::size_t input_pixels =
        count(geometry.input) / images / static_cast<std::size_t>(geometry.input.c);
    if (window.is_depthwise() || pixels > FloatWeightGradient::kSmallMap ||
        input_pixels > 4 * FloatWeightGradient::kSmallMap) {
      return number;
    }
    const std::size_t pixel = number / channels / images;
    const std::size_t n = number / channels % images;
    return (n * pixels + pixel) * channels + number % channels;
  }
  [[nodiscard]] static std::vector<float> results(const std::vector<Sum>& sums) {
    std::vector<float> found(sums.size());
    std::ranges::transform(sums, found.begin(), [](const Sum& sum) { return sum.result(); });
    return found;
  }
};

/// What `run` gives a sink.
template <class Run>
std::vector<float> numbers_of(std::size_t count, Run run) {
  std::vector<float> numbers(count, -1.0F);
  WholeSink whole(numbers.data());
  run(whole);
  return numbers;
}

/// Zeros have signs.
std::vector<std::uint32_t> bits_of(const std::vector<float>& numbers) {
  std::vector<std::uint32_t> bits(numbers.size());
  std::ranges::transform(numbers, bits.begin(),
                         [](float number) { return std::bit_cast<std::uint32_t>(number); });
  return bits;
}

void expect_equals_loops(const ProductGeometry& geometry, int images_of_a_piece) {
  const FloatProducts data(geometry);
  FloatConvolution convolution(geometry);
  const std::vector<float> others(data.weights.size(), 1.0F);
  convolution.set_weights(others);  // which must be forgotten
  (void)numbers_of(data.dy.size(), [&](auto& y) { convolution.forward(data.x.data(), y); });
  convolution.set_weights(data.weights);
  EXPECT_EQ(bits_of(numbers_of(data.dy.size(), [&](auto& y) { convolution.forward(data.x.data(), y); })),
            bits_of(data.forward()));
  EXPECT_EQ(
      bits_of(numbers_of(data.x.size(), [&](auto& dx) { convolution.data_gradient(data.dy.data(), dx); })),
      bits_of(data.data_gradient()));
  const FloatWeightGradient gradient(geometry);
  FloatGradientScratch scratch;
  std::vector<float> found(data.weights.size(), -1.0F);
  for (int repeat = 0; repeat < 2; ++repeat) {  // what is left in the scratch must not matter
    gradient.run(data.x.data(), data.dy.data(), found.data(), scratch);
    EXPECT_EQ(bits_of(found), bits_of(data.weight_gradient(images_of_a_piece)));
  }
}

TEST(FloatConvolution, EqualsLoopsInTheirOrder) {
  constexpr int kShapes = 300;
  RandomSequence random({.seed = 79});
  for (int i = 0; i < kShapes && !testing::Test::HasFailure(); ++i) {
    ProductGeometry shape = test::small_geometry(random);
    if (random.below(2) == 0) {
      shape.input.n = shape.output.n = 8 + static_cast<int>(random.below(10));  // enough to be rows
    }
    SCOPED_TRACE(testing::PrintToString(shape));
    expect_equals_loops(shape, shape.input.n);
  }
}

TEST(FloatConvolution, EqualsLoopsOnLargerShapes) {
  const auto geometry = [](const Shape& in, int channels, const Window& window, int groups = 1) {
    return ProductGeometry{in,    window.output(in, channels), window.kernel, window.stride, window.padding,
                           groups};
  };
  // Maps of 32x32 fill a quarter of a piece.
  for (const auto& [shape, images] : {std::pair{geometry({9, 3, 32, 32}, 16, {3, 1, 1}), 4},
                                      {geometry({5, 32, 16, 16}, 40, {3, 1, 1}), 16},
                                      {geometry({2, 16, 5, 16}, 16, {3, 1, 1}), 2},
                                      {geometry({2, 12, 16, 16}, 36, {3, 1, 1}, 3), 2},
                                      {geometry({2, 64, 4, 32}, 33, {1, 1, 0}), 2},
                                      {geometry({100, 50, 1, 1}, 10, {1, 1, 0}), 100}}) {
    SCOPED_TRACE(testing::PrintToString(shape));
    expect_equals_loops(shape, images);
  }
}

TEST(FloatConvolution, WhatIsNotFiniteMeetsItsOwnImageOnly) {
  const ProductGeometry shape = {{3, 4, 20, 20}, {3, 5, 20, 20}, 3, 1, 1};  // two images at a time
  FloatProducts data(shape);
  data.x[count(shape.input) / 3] = INFINITY;  // where, with the third image, there is none
  std::ranges::fill(data.dy, 1.0F);
  const std::vector<float> expected = data.weight_gradient(3);
  EXPECT_EQ(std::ranges::count(expected, INFINITY), 4 * shape.output.c);
  FloatGradientScratch scratch;
  std::vector<float> found(data.weights.size());
  FloatWeightGradient(shape).run(data.x.data(), data.dy.data(), found.data(), scratch);
  EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace adapt
