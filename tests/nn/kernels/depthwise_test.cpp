// Depthwise products of bytes against loops in int64, on whole ranges.

#include "nn/kernels/depthwise.hpp"

#include <gtest/gtest.h>

#include "nn/kernels/integer_products.hpp"

namespace adapt {
namespace {

using test::ByteProducts;
using test::RandomBytes;

ProductGeometry depthwise(int images, int channels, int side, int kernel, int stride, int padding) {
  const Window window = {kernel, stride, padding};
  const Shape in = {images, channels, side, side + 1};
  return {in, window.output(in, channels), kernel, stride, padding, channels};
}

const ProductGeometry kGeometries[] = {depthwise(2, 2, 5, 3, 1, 1),  depthwise(3, 45, 8, 3, 2, 1),
                                       depthwise(2, 64, 6, 5, 1, 2), depthwise(1, 7, 9, 2, 3, 0),
                                       depthwise(5, 33, 1, 1, 1, 0), depthwise(40, 8, 7, 3, 1, 0)};

class Depthwise : public testing::TestWithParam<ProductGeometry> {};

TEST_P(Depthwise, SumsEqualLoops) { test::expect_product_equals_loops<DepthwiseProduct>(GetParam()); }

TEST_P(Depthwise, WeightGradientEqualsLoops) {
  const ByteProducts data(GetParam(), RandomBytes(3));
  const DepthwiseWeightGradient<std::int8_t> gradient(GetParam());
  std::vector<float> weights(data.weights.size(), -1.0F);
  gradient.run(data.x.data(), data.dy.data(), 0x1p-4F, 1.0F, weights.data(), nullptr);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    ASSERT_EQ(weights[i], static_cast<float>(data.weight_gradient[i]) * 0x1p-4F) << i;
  }
}

TEST_P(Depthwise, BiasGradientEqualsLoops) {
  const ByteProducts data(GetParam(), RandomBytes(4));
  const auto channels = static_cast<std::size_t>(GetParam().output.c);
  std::vector<std::int64_t> expected(channels);
  for (std::size_t i = 0; i < data.dy.size(); ++i) {
    expected[i % channels] += data.dy[i];
  }
  std::vector<float> weights(data.weights.size());
  std::vector<float> bias(channels, -1.0F);
  DepthwiseWeightGradient<std::int8_t>(GetParam())
      .run(data.x.data(), data.dy.data(), 1.0F, 0x1p-2F, weights.data(), bias.data());
  for (std::size_t c = 0; c < channels; ++c) {
    ASSERT_EQ(bias[c], static_cast<float>(expected[c]) * 0x1p-2F) << c;
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, Depthwise, testing::ValuesIn(kGeometries));

}  // namespace
}  // namespace adapt
