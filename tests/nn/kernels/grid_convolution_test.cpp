// All three products of tensors on grids of up to 16 bits against loops in int64, each sum rounded once.

#include "nn/kernels/grid_convolution.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <tuple>

#include "nn/kernels/integer_products.hpp"
#include "nn/kernels/word_product.hpp"

namespace adapt {
namespace {

using test::RandomWords;
using test::WordProducts;

/// Integers as a tensor on a grid.
struct OnGrid {
  OnGrid(const std::vector<std::int16_t>& all, int fractional_length)
      : format{16, fractional_length}, integers(all), numbers(integers.size()) {
    std::ranges::transform(integers, numbers.begin(), [this](std::int16_t integer) {
      return static_cast<float>(integer) * format.step();
    });
    for (const std::int16_t integer : integers) {
      largest = std::max(largest, std::abs(std::int32_t{integer}));
    }
  }
  [[nodiscard]] GridTensor tensor() const { return {numbers.data(), format, largest}; }
  [[nodiscard]] GridTensor words() const { return {nullptr, format, largest, integers.data()}; }

  FixedFormat format;
  std::vector<std::int16_t> integers;
  std::vector<float> numbers;
  std::int32_t largest = 0;
};

std::vector<float> rounded(const std::vector<std::int64_t>& sums, int fractional_length) {
  std::vector<float> numbers(sums.size());
  std::ranges::transform(sums, numbers.begin(), [=](std::int64_t sum) {
    return std::ldexp(static_cast<float>(sum), -fractional_length);
  });
  return numbers;
}

/// What `run` gives a sink: all at once and, the same, in pieces.
template <class Run>
std::vector<float> numbers_of(std::size_t count, Run run) {
  std::vector<float> numbers(count, -1.0F);
  WholeSink whole(numbers.data());
  run(whole);
  std::vector<float> collected;
  AlignedVector<float> memory;
  PassingSink pieces(memory, [&](std::size_t first, std::span<const float> piece) {
    EXPECT_EQ(first, collected.size());
    collected.insert(collected.end(), piece.begin(), piece.end());
  });
  run(pieces);
  EXPECT_EQ(collected, numbers);
  return numbers;
}

void expect_equals_loops(const WordProducts& data) {
  const OnGrid x(data.x, 9);
  const OnGrid dy(data.dy, 14);
  const OnGrid weights(data.weights, -2);
  GridConvolution convolution(data.geometry);
  ASSERT_TRUE(GridConvolution::fit(weights.numbers, weights.format));
  convolution.set_weights(weights.numbers, weights.format);
  EXPECT_EQ(numbers_of(data.dy.size(), [&](auto& y) { convolution.forward(x.tensor(), y); }),
            rounded(data.forward, 9 - 2));
  EXPECT_EQ(numbers_of(data.x.size(), [&](auto& dx) { convolution.data_gradient(dy.tensor(), dx); }),
            rounded(data.data_gradient, 14 - 2));

  const auto channels = static_cast<std::size_t>(data.geometry.output.c);
  std::vector<std::int64_t> bias(channels);
  for (std::size_t i = 0; i < data.dy.size(); ++i) {
    bias[i % channels] += data.dy[i];
  }
  std::vector<float> weight_gradient(data.weights.size(), -1.0F);
  std::vector<float> bias_gradient(channels, -1.0F);
  WeightGradientScratch scratch;
  const GridWeightGradient gradient(data.geometry);
  for (int repeat = 0; repeat < 2; ++repeat) {  // what is left in the scratch must not matter
    gradient.run(x.tensor(), dy.tensor(), weight_gradient.data(), bias_gradient.data(), scratch);
    EXPECT_EQ(weight_gradient, rounded(data.weight_gradient, 9 + 14));
    EXPECT_EQ(bias_gradient, rounded(bias, 14));
  }
  if (data.geometry.groups > 1) {
    return;
  }
  // The same of words.
  EXPECT_EQ(numbers_of(data.dy.size(), [&](auto& y) { convolution.forward(x.words(), y); }),
            rounded(data.forward, 9 - 2));
  EXPECT_EQ(numbers_of(data.x.size(), [&](auto& dx) { convolution.data_gradient(dy.words(), dx); }),
            rounded(data.data_gradient, 14 - 2));
  gradient.run(x.words(), dy.words(), weight_gradient.data(), bias_gradient.data(), scratch);
  EXPECT_EQ(weight_gradient, rounded(data.weight_gradient, 9 + 14));
  EXPECT_EQ(bias_gradient, rounded(bias, 14));
}

/// Integers of so many bits, extremes included.
RandomWords of_bits(std::uint64_t seed, int bits) {
  return RandomWords(seed, -(1 << (bits - 1)), (1 << (bits - 1)) - 1);
}

ProductGeometry geometry(const Shape& in, int channels, const Window& window, int groups = 1) {
  return {in, window.output(in, channels), window.kernel, window.stride, window.padding, groups};
}

class GridProducts : public testing::TestWithParam<ProductGeometry> {};

TEST_P(GridProducts, EqualLoops) {
  for (const auto& [x, dy, weights] : {std::tuple{16, 16, 16}, {12, 12, 12}, {1, 16, 2}, {9, 10, 14}}) {
    SCOPED_TRACE(testing::Message() << x << " " << dy << " " << weights);
    expect_equals_loops(WordProducts(GetParam(), of_bits(1, x), of_bits(2, dy), of_bits(3, weights)));
  }
}

TEST_P(GridProducts, EqualLoopsWithTheLargestSums) {
  WordProducts data(GetParam(), RandomWords(1));
  for (const auto& [x, other] :
       {std::pair{-32768, -32768}, {32767, -32768}, {-32768, 32767}, {255, -32768}}) {
    std::ranges::fill(data.x, static_cast<std::int16_t>(x));
    std::ranges::fill(data.dy, static_cast<std::int16_t>(other));
    std::ranges::fill(data.weights, static_cast<std::int16_t>(x));
    data.multiply();
    expect_equals_loops(data);
    std::ranges::fill(data.weights, static_cast<std::int16_t>(other));
    data.multiply();
    expect_equals_loops(data);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, GridProducts,
    testing::Values(geometry({2, 3, 9, 8}, 20, {3, 1, 1}), geometry({3, 17, 5, 5}, 16, {5, 2, 2}),
                    geometry({2, 16, 5, 16}, 16, {3, 1, 1}),  // read where they stand
                    geometry({2, 64, 4, 32}, 32, {3, 1, 1}),  // in pieces of a run
                    geometry({2, 12, 31, 31}, 36, {3, 2, 1}, 3), geometry({2, 64, 4, 32}, 20, {1, 1, 0}),
                    geometry({2, 12, 6, 7}, 36, {3, 2, 1}, 4), geometry({1, 40, 4, 4}, 20, {1, 1, 0}, 20),
                    geometry({2, 24, 6, 5}, 24, {3, 1, 1}, 24), geometry({2, 9, 7, 8}, 9, {3, 2, 1}, 9),
                    geometry({9, 600, 1, 1}, 10, {1, 1, 0}), geometry({7, 16, 5, 5}, 24, {5, 1, 0}),
                    geometry({3, 2, 8, 8}, 3, {2, 5, 0}), geometry({40, 2, 32, 32}, 3, {3, 1, 1}),
                    geometry({2, 3, 32, 32}, 8, {11, 4, 5})));

/// Any shape, any width of each tensor.
class GridProductSweep : public testing::TestWithParam<int> {};

TEST_P(GridProductSweep, EqualsLoops) {
  const int shapes = test::sweep_shapes(400);
  RandomSequence random({.seed = 78, .step = static_cast<std::uint32_t>(GetParam())});
  const auto bits = [&random] { return 1 + static_cast<int>(random.below(16)); };
  for (int i = 0; i < shapes && !HasFailure(); ++i) {
    const ProductGeometry shape = test::small_geometry(random);
    SCOPED_TRACE(testing::PrintToString(shape));
    const auto seed = static_cast<std::uint64_t>(i);
    expect_equals_loops(
        WordProducts(shape, of_bits(seed, bits()), of_bits(seed + 1, bits()), of_bits(seed + 2, bits())));
  }
}

INSTANTIATE_TEST_SUITE_P(Parts, GridProductSweep, testing::Range(0, 4));

TEST(WordProduct, CutsOnlyWhatMayOverflow) {
  const Shape shape = {1, 256, 4, 4};
  const ProductGeometry layer = {shape, shape, 3, 1, 1};
  const auto pieces = [&](int weight_bits, int largest) {
    WordProduct product(forward_product(layer));
    product.set_weights(WordProducts(layer, of_bits(1, weight_bits)).weights, 1);
    const std::vector<float> x(test::count(shape));
    std::vector<float> y(x.size());
    WholeSink whole(y.data());
    product.run({x.data(), {16, 0}, largest}, whole);
    return product.pieces();
  };
  EXPECT_EQ(pieces(8, 127), 1U);
  EXPECT_EQ(pieces(10, 511), 1U);
  EXPECT_GT(pieces(13, 2047), 1U);
  EXPECT_LT(pieces(13, 2047), 10U);
  EXPECT_LT(pieces(16, 255), 10U);
  EXPECT_GT(pieces(16, 32767), 6U);  // 16 terms of 2^15 would overflow: in halves
  EXPECT_LT(pieces(16, 32767), 20U);
}

TEST(GridConvolution, KnowsWhenSumsMayLeaveWhatDoublesHold) {
  const int most = static_cast<int>(GridProduct::kMostTerms);
  EXPECT_TRUE(GridConvolution::fits({{1, most - 1, 1, 1}, {1, 1, 1, 1}, 1, 1, 0}));
  EXPECT_FALSE(GridConvolution::fits({{1, most, 1, 1}, {1, 1, 1, 1}, 1, 1, 0}));
  EXPECT_FALSE(GridConvolution::fits({{1, 1, 1, 1}, {1, most, 1, 1}, 1, 1, 0}));
  EXPECT_FALSE(GridConvolution::fits({{8, 1, 1024, 1024}, {8, 1, 1024, 1024}, 1, 1, 0}));
}

TEST(GridConvolution, KnowsWhichIntegersFit) {
  const FixedFormat format = {20, 4};
  EXPECT_TRUE(GridConvolution::fit(std::vector{-2048.0F, 2047.9375F}, format));
  EXPECT_FALSE(GridConvolution::fit(std::vector{2048.0F}, format));
  EXPECT_FALSE(GridConvolution::fit(std::vector{-2048.0625F}, format));
  EXPECT_FALSE(GridConvolution::fit(std::vector{NAN}, format));
}

}  // namespace
}  // namespace adapt
