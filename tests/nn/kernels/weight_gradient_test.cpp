// The weight gradient in bytes where its sums exceed 32 bits; integer_convolution_test.cpp tries it on all
// shapes.

#include "nn/kernels/weight_gradient.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "nn/kernels/integer_products.hpp"

namespace adapt {
namespace {

using test::ByteProducts;
using test::expect_weight_gradient;
using test::RandomBytes;

/// Sums of 2^31 and more: 2^17 pixels and more of 2^14.
class ManyPixels : public testing::TestWithParam<ProductGeometry> {};

TEST_P(ManyPixels, TheWeightGradientIsExact) {
  ByteProducts data(GetParam(), RandomBytes(2));
  expect_weight_gradient(data);
  std::fill(data.x.begin(), data.x.end(), std::int8_t{-128});
  std::fill(data.dy.begin(), data.dy.end(), std::int8_t{-128});
  data.multiply();
  EXPECT_GE(*std::ranges::max_element(data.weight_gradient), std::int64_t{1} << 31);
  expect_weight_gradient(data);
}

INSTANTIATE_TEST_SUITE_P(Shapes, ManyPixels,
                         testing::Values(ProductGeometry{{128, 1, 32, 32}, {128, 1, 32, 32}, 1, 1, 0},
                                         ProductGeometry{{150, 3, 32, 32}, {150, 18, 32, 32}, 3, 1, 1},
                                         ProductGeometry{{530, 2, 32, 32}, {530, 3, 16, 16}, 3, 2, 1},
                                         ProductGeometry{{150, 3, 32, 32}, {150, 3, 32, 32}, 3, 1, 1, 3},
                                         ProductGeometry{{150, 4, 32, 32}, {150, 4, 32, 32}, 1, 1, 0, 2},
                                         ProductGeometry{{1, 2, 400, 401}, {1, 2, 400, 401}, 3, 1, 1}));

}  // namespace
}  // namespace adapt
