// The known answers themselves, which are computed in a shorter way, against loops.

#include "nn/kernels/known_layer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "nn/kernels/integer_products.hpp"

namespace adapt {
namespace {

using test::ByteProducts;
using test::RandomBytes;

/// Whether sums are the same numbers.
void expect_equal(const std::vector<float>& found, const std::vector<std::int64_t>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_EQ(found[i], static_cast<float>(expected[i])) << i;
  }
}

std::vector<std::int8_t> bytes(const std::vector<float>& numbers) { return {numbers.begin(), numbers.end()}; }

TEST(KnownLayer, EqualsLoops) {
  constexpr int kImages = static_cast<int>(KnownLayer::kImages);
  for (const int groups : {1, 2, 6}) {
    for (const Window& window : {Window{3, 1, 1}, Window{2, 3, 0}, Window{1, 2, 0}}) {
      const Shape in = {kImages, 6, 7, 5};
      const ProductGeometry geometry = {
          in, window.output(in, 12), window.kernel, window.stride, window.padding, groups};
      const KnownLayer known(forward_product(geometry));
      ByteProducts data(geometry, RandomBytes(1));
      data.x = bytes(known.source());
      data.dy = bytes(known.destination_gradient());
      data.weights = bytes(known.weights());
      data.multiply();
      expect_equal(known.destination(/*with_bias=*/false), data.forward);
      expect_equal(known.source_gradient(), data.data_gradient);
      expect_equal(known.weight_gradient(), data.weight_gradient);
    }
  }
}

// Of nine images the first four come three times, in part: +, +, and - for one.
TEST(KnownLayer, SumsOverMoreImagesFollowTheirSigns) {
  const ProductGeometry geometry = {{9, 3, 4, 4}, {9, 2, 4, 4}, 3, 1, 1};
  const KnownLayer known(forward_product(geometry));
  ByteProducts data(geometry, RandomBytes(1));
  const std::vector<float> x = known.source();
  const std::vector<float> dy = known.destination_gradient();
  for (std::size_t i = 0; i < data.x.size(); ++i) {
    data.x[i] = static_cast<std::int8_t>(x[i % x.size()]);
  }
  for (std::size_t i = 0; i < data.dy.size(); ++i) {
    const float sign = KnownLayer::gradient_sign(i / dy.size());
    data.dy[i] = static_cast<std::int8_t>(sign * dy[i % dy.size()]);
  }
  data.multiply();
  expect_equal(known.weight_gradient(), data.weight_gradient);
  std::vector<std::int64_t> bias(2);
  for (std::size_t i = 0; i < data.dy.size(); ++i) {
    bias[i % 2] += data.dy[i];
  }
  expect_equal(known.bias_gradient(), bias);
}

}  // namespace
}  // namespace adapt
