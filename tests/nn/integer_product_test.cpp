// The 8-bit products against loops in int64, over the whole range of the operands.

#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <vector>

#include "nn/onednn.hpp"
#include "nn/quantized/integer_convolution.hpp"
#include "nn/quantized/weight_gradient.hpp"
#include "numerics/random.hpp"

namespace adapt {
namespace {

std::size_t count(const Shape& shape) { return static_cast<std::size_t>(shape.elements()); }

std::size_t at(const Shape& s, int n, int c, int h, int w) {
  return static_cast<std::size_t>(((n * s.h + h) * s.w + w) * s.c + c);
}

/// A product with random operands; among the bytes many are extreme.
struct Case {
  Case(const ProductGeometry& shape, std::uint64_t seed)
      : geometry(shape),
        area(shape.kernel * shape.kernel),
        x(count(shape.input)),
        dy(count(shape.output)),
        weights(static_cast<std::size_t>(shape.input.c * shape.output.c * area)) {
    RandomSequence random({.seed = seed});
    const auto draw = [&random] {
      const std::uint32_t kind = random.below(4);
      return kind == 0   ? std::int8_t{-128}
             : kind == 1 ? std::int8_t{127}
                         : static_cast<std::int8_t>(static_cast<int>(random.below(256)) - 128);
    };
    std::generate(x.begin(), x.end(), draw);
    std::generate(dy.begin(), dy.end(), draw);
    std::generate(weights.begin(), weights.end(), draw);
  }

  /// Calls `visit(input, output, weight)` with the indices of each product that the layer sums.
  template <class Visit>
  void each_product(Visit visit) const {
    const auto& [in, out, kernel, stride, padding] = geometry;
    for (int n = 0; n < out.n; ++n) {
      for (int h = 0; h < out.h; ++h) {
        for (int w = 0; w < out.w; ++w) {
          for (int k = 0; k < area; ++k) {
            const int y = h * stride + k / kernel - padding;
            const int z = w * stride + k % kernel - padding;
            if (y < 0 || z < 0 || y >= in.h || z >= in.w) {
              continue;
            }
            for (int o = 0; o < out.c; ++o) {
              for (int i = 0; i < in.c; ++i) {
                visit(at(in, n, i, y, z), at(out, n, o, h, w),
                      static_cast<std::size_t>((o * in.c + i) * area + k));
              }
            }
          }
        }
      }
    }
  }

  ProductGeometry geometry;
  int area;
  std::vector<std::int8_t> x;
  std::vector<std::int8_t> dy;
  std::vector<std::int8_t> weights;
};

Shape output_of(const Shape& in, int channels, int kernel, int stride, int padding) {
  return {in.n, channels, (in.h + 2 * padding - kernel) / stride + 1,
          (in.w + 2 * padding - kernel) / stride + 1};
}

std::vector<ProductGeometry> geometries() {
  std::vector<ProductGeometry> all;
  RandomSequence random({.seed = 11});
  const auto pick = [&random](int low, int high) {
    return low + static_cast<int>(random.below(static_cast<std::uint32_t>(high - low + 1)));
  };
  for (int i = 0; i < 60; ++i) {
    const int kernel = std::vector{1, 2, 3, 5, 11}[random.below(5)];
    const int padding = pick(0, kernel / 2);
    const int least = std::max(1, kernel - 2 * padding);
    const Shape in = {pick(1, 6), pick(1, 40), pick(least, least + 8), pick(least, least + 8)};
    const int stride = pick(1, 4);
    all.push_back({in, output_of(in, pick(1, 40), kernel, stride, padding), kernel, stride, padding});
  }
  for (const int channels : {16, 32}) {  // as in ResNet-20: shapes of the fast paths
    const Shape in = {4, channels, 8, 8};
    all.push_back({in, output_of(in, channels, 3, 1, 1), 3, 1, 1});
    all.push_back({in, output_of(in, 2 * channels, 3, 2, 1), 3, 2, 1});
    all.push_back({in, output_of(in, 2 * channels, 1, 2, 0), 1, 2, 0});
  }
  all.push_back({{9, 32, 2, 2}, {9, 48, 2, 2}, 3, 1, 1});  // as in AlexNet: hardly more than padding
  all.push_back({{5, 16, 4, 4}, {5, 32, 4, 4}, 5, 1, 2});
  all.push_back({{3, 16, 5, 6}, {3, 16, 4, 6}, 3, 1, 1});  // less padding behind than before, or more
  all.push_back({{3, 16, 4, 4}, {3, 16, 5, 5}, 3, 1, 1});
  all.push_back({{9, 300, 1, 1}, {9, 10, 1, 1}, 1, 1, 0});  // linear layers
  all.push_back({{1, 84, 1, 1}, {1, 10, 1, 1}, 1, 1, 0});
  return all;
}

class IntegerProduct : public testing::TestWithParam<ProductGeometry> {
 protected:
  void SetUp() override {
    if (!onednn::has_exact_bytes()) {
      GTEST_SKIP() << "8-bit products are not exact here";
    }
  }
};

}  // namespace

void PrintTo(const ProductGeometry& g, std::ostream* out) {
  *out << "batch " << g.input.n << ", " << g.input.c << " to " << g.output.c << " channels, " << g.input.h
       << "x" << g.input.w << ", kernel " << g.kernel << ", stride " << g.stride << ", padding " << g.padding;
}

namespace {

TEST_P(IntegerProduct, EqualsLoops) {
  const Case data(GetParam(), 3);
  std::vector<std::int64_t> forward(data.dy.size());
  std::vector<std::int64_t> backward(data.x.size());
  std::vector<std::int64_t> gradient(data.weights.size());
  data.each_product([&](std::size_t i, std::size_t o, std::size_t w) {
    forward[o] += std::int64_t{data.x[i]} * data.weights[w];
    backward[i] += std::int64_t{data.dy[o]} * data.weights[w];
    gradient[w] += std::int64_t{data.x[i]} * data.dy[o];
  });

  IntegerConvolution convolution(GetParam(), /*data_gradient=*/true);
  std::vector<float> weights(data.weights.begin(), data.weights.end());
  for (float& weight : weights) {
    weight *= 0x1p-5F;
  }
  convolution.set_weights(weights, FixedFormat{8, 5});
  std::vector<std::int32_t> sums(data.dy.size(), -1);
  convolution.forward(data.x.data(), sums.data());
  EXPECT_EQ(std::vector<std::int64_t>(sums.begin(), sums.end()), forward);
  sums.assign(data.x.size(), -1);
  convolution.data_gradient(data.dy.data(), sums.data());
  EXPECT_EQ(std::vector<std::int64_t>(sums.begin(), sums.end()), backward);

  const auto channels = static_cast<std::size_t>(GetParam().output.c);
  std::vector<std::int64_t> bias(channels);
  for (std::size_t i = 0; i < data.dy.size(); ++i) {
    bias[i % channels] += data.dy[i];
  }
  WeightGradientScratch scratch;
  std::vector<float> result(data.weights.size(), -1.0F);
  std::vector<float> bias_result(channels, -1.0F);
  const WeightGradient product(GetParam());
  for (int repeat = 0; repeat < 2; ++repeat) {  // what is left in the scratch must not matter
    product.run(data.x.data(), data.dy.data(), 0x1p-9F, 0x1p-3F, result.data(), bias_result.data(), scratch);
    for (std::size_t i = 0; i < result.size(); ++i) {
      ASSERT_EQ(result[i], static_cast<float>(gradient[i]) * 0x1p-9F) << i;
    }
    for (std::size_t i = 0; i < channels; ++i) {
      ASSERT_EQ(bias_result[i], static_cast<float>(bias[i]) * 0x1p-3F) << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, IntegerProduct, testing::ValuesIn(geometries()));

TEST(WeightGradient, KnowsWhenSumsMayOverflow) {
  const Shape small = {127, 1, 32, 32};
  EXPECT_TRUE(WeightGradient({small, small, 1, 1, 0}).fits());
  const Shape large = {128, 1, 32, 32};  // 2^17 pixels of 2^14
  EXPECT_FALSE(WeightGradient({large, large, 1, 1, 0}).fits());
}

}  // namespace
}  // namespace adapt
