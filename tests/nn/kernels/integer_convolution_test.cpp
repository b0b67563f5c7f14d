// The 8-bit products against loops in int64, over the whole range of the operands. They are exact on every
// instruction set: where oneDNN's are not, ours take their place.

#include "nn/kernels/integer_convolution.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/threads.hpp"
#include "nn/kernels/integer_products.hpp"
#include "nn/kernels/onednn.hpp"
#include "nn/models.hpp"
#include "nn/network.hpp"
#include "nn/passes/lower.hpp"
#include "support/model_builder.hpp"

namespace adapt {
namespace {

using test::ByteProducts;
using test::expect_weight_gradient;
using test::output_of;
using test::RandomBytes;
using test::sums_of;

/// Of usual and unusual layers.
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
  for (const int groups : {2, 3, 12, 48}) {  // to depthwise, which 48 groups are twice
    for (const int stride : {1, 2}) {
      const Shape in = {3, 48, 7, 8};
      all.push_back({in, output_of(in, 48, 3, stride, 1), 3, stride, 1, groups});
      all.push_back({in, output_of(in, 96, 3, stride, 1), 3, stride, 1, groups});
    }
  }
  all.push_back({{9, 32, 2, 2}, {9, 48, 2, 2}, 3, 1, 1});  // as in AlexNet: hardly more than padding
  all.push_back({{5, 16, 4, 4}, {5, 32, 4, 4}, 5, 1, 2});
  all.push_back({{3, 16, 5, 6}, {3, 16, 4, 6}, 3, 1, 1});  // less padding behind than before, or more
  all.push_back({{3, 16, 4, 4}, {3, 16, 5, 5}, 3, 1, 1});
  all.push_back({{2, 16, 8, 8}, {2, 16, 10, 10}, 1, 1, 1});     // windows of nothing but padding
  all.push_back({{2, 16, 8, 8}, {2, 8, 1, 1}, 3, 1 << 24, 0});  // the stride of one window means nothing
  all.push_back({{7, 16, 5, 5}, {7, 24, 1, 1}, 5, 1, 0});       // one window that is the whole image
  all.push_back({{9, 300, 1, 1}, {9, 10, 1, 1}, 1, 1, 0});      // linear layers
  all.push_back({{1, 84, 1, 1}, {1, 10, 1, 1}, 1, 1, 0});
  return all;
}

std::vector<std::int64_t> wide(const std::vector<std::int32_t>& sums) { return {sums.begin(), sums.end()}; }

std::vector<std::int32_t> gradient_of(IntegerConvolution& convolution, const std::vector<std::int8_t>& dy,
                                      std::size_t count) {
  AlignedVector<std::int32_t> memory;
  return sums_of(count, [&](SumSink& sums) { convolution.data_gradient(dy.data(), sums, memory); });
}

/// Forward and data gradient by the class that layers use.
void expect_equals_loops(const ByteProducts& data, IntegerConvolution& convolution) {
  std::vector<float> weights(data.weights.begin(), data.weights.end());
  for (float& weight : weights) {
    weight *= 0x1p-5F;
  }
  EXPECT_TRUE(convolution.set_weights(weights, FixedFormat{8, 5}));
  for (int run = 0; run < 2; ++run) {  // by two kernels, where there are two
    EXPECT_EQ(wide(sums_of(data.dy.size(), [&](SumSink& sums) { convolution.forward(data.x.data(), sums); })),
              data.forward);
    EXPECT_EQ(wide(gradient_of(convolution, data.dy, data.x.size())), data.data_gradient);
  }
}

void expect_all(const ProductGeometry& geometry, std::uint64_t seed) {
  const ByteProducts data(geometry, RandomBytes(seed));
  IntegerConvolution convolution(geometry, /*data_gradient=*/true);
  expect_equals_loops(data, convolution);
  expect_weight_gradient(data);
}

class IntegerProducts : public testing::TestWithParam<ProductGeometry> {};

TEST_P(IntegerProducts, EqualLoops) { expect_all(GetParam(), 3); }

INSTANTIATE_TEST_SUITE_P(Shapes, IntegerProducts, testing::ValuesIn(geometries()));

/// Whether oneDNN's transposed convolution, which nobody uses any more, gets the data gradient wrong.
bool transposed_is_wrong(const ProductGeometry& layer) {
  const WindowProduct forward = forward_product(layer);
  const int behind = std::min(forward.padding_behind(layer.input.h, layer.output.h),
                              forward.padding_behind(layer.input.w, layer.output.w));
  return layer.stride > 1 && (layer.stride > layer.kernel + 1 || (layer.kernel > 1 && behind < 0));
}

/// A part of a sweep over thousands of shapes, so that they run side by side.
class IntegerProductSweep : public testing::TestWithParam<int> {};

TEST_P(IntegerProductSweep, EqualsLoops) {
  const int shapes = test::sweep_shapes(700);
  RandomSequence random({.seed = 77, .step = static_cast<std::uint32_t>(GetParam())});
  int unsound = 0;
  for (int i = 0; i < shapes && !HasFailure(); ++i) {
    const ProductGeometry geometry = test::small_geometry(random);
    SCOPED_TRACE(testing::PrintToString(geometry));
    unsound += transposed_is_wrong(geometry) ? 1 : 0;
    expect_all(geometry, static_cast<std::uint64_t>(i));
  }
  EXPECT_GE(unsound, shapes / 5);
}

INSTANTIATE_TEST_SUITE_P(Parts, IntegerProductSweep, testing::Range(0, 6));

TEST(IntegerProduct, TheSmallestKnownShapesOfWrongGradients) {
  IntegerConvolution trimmed({{1, 1, 2, 5}, {1, 1, 1, 2}, 2, 2, 0}, true);
  EXPECT_TRUE(trimmed.set_weights(std::vector{1.0F, 1.0F, 1.0F, 1.0F}, FixedFormat{8, 0}));
  EXPECT_EQ(gradient_of(trimmed, std::vector<std::int8_t>(2, 1), 10),
            (std::vector<std::int32_t>{1, 1, 1, 1, 0, 1, 1, 1, 1, 0}));

  IntegerConvolution spread({{1, 1, 4, 4}, {1, 1, 2, 2}, 1, 3, 0}, true);
  EXPECT_TRUE(spread.set_weights(std::vector{127.0F}, FixedFormat{8, 0}));
  EXPECT_EQ(gradient_of(spread, std::vector<std::int8_t>(4, 2), 16),
            (std::vector<std::int32_t>{254, 0, 0, 254, 0, 0, 0, 0, 0, 0, 0, 0, 254, 0, 0, 254}));
}

TEST(IntegerProduct, SumsBeyondFloat32AreExact) {
  const Shape shape = {2, 256, 4, 4};
  const ProductGeometry geometry = {shape, shape, 3, 1, 1};
  IntegerConvolution convolution(geometry, /*data_gradient=*/true);
  for (const auto& [lowest, highest] : {std::pair{125, 127}, {-128, -126}, {-3, 3}, {126, 127}}) {
    const ByteProducts data(geometry, RandomBytes(5, lowest, highest));
    expect_equals_loops(data, convolution);  // weights come and go: the arithmetic follows them
  }
}

TEST(IntegerProduct, TriesTheLibraryWhereItIsExact) {
  const Shape shape = {1, 1024, 1, 1};
  IntegerProduct product({shape, shape, 1, 1, 0});
  std::vector<std::int8_t> weights(1024 * 1024, 1);
  product.set_weights(weights);
  EXPECT_EQ(product.may_be_library(), onednn::has_exact_bytes());
  std::fill_n(weights.begin() + 5 * 1024, 1024, std::int8_t{-128});  // 2^24 with a source of -128
  product.set_weights(weights);
  EXPECT_FALSE(product.may_be_library());
  weights[5 * 1024] = -127;
  product.set_weights(weights);
  EXPECT_EQ(product.may_be_library(), onednn::has_exact_bytes());
}

/// A layer of few outputs, which our own products multiply in several ways.
const ProductGeometry kNarrow = {{3, 6, 9, 8}, {3, 4, 9, 8}, 3, 1, 1};

std::vector<std::int64_t> sums_of_run(IntegerProduct& product, const ByteProducts& data) {
  return wide(sums_of(data.dy.size(), [&](SumSink& sums) { product.run(data.x.data(), sums); }));
}

TEST(IntegerProduct, IsTheSameWhoeverMultiplies) {
  const ByteProducts data(kNarrow, RandomBytes(8));
  IntegerProduct product(forward_product(kNarrow));
  product.set_weights(data.weights);
  std::set<std::string> expected = {"own", "own, 2 windows a row", "own, 4 windows a row"};
  if (product.may_be_library()) {
    expected.insert("oneDNN");
  }
  std::set<std::string> kernels;
  for (int run = 0; run < 20; ++run) {  // the trials, and what follows them
    if (run % 3 == 0) {
      product.set_weights(data.weights);
    }
    kernels.insert(product.kernel());
    EXPECT_EQ(sums_of_run(product, data), data.forward);
  }
  EXPECT_EQ(kernels, expected);
  // Of the next one of this shape it is known.
  IntegerProduct next(forward_product(kNarrow));
  next.set_weights(data.weights);
  EXPECT_EQ(next.kernel(), product.kernel());
}

TEST(IntegerProduct, IsTheSameWhateverIsRememberedOfTheMachine) {
  // A shape of this test alone: what is noted stays in the process.
  const ProductGeometry layer = {{2, 6, 7, 8}, {2, 4, 7, 8}, 3, 1, 1};
  const ByteProducts data(layer, RandomBytes(9));
  for (const std::string kernel : {"own, 4 windows a row", "own", "own, 2 windows a row", "oneDNN", "gone"}) {
    KernelRecord::of_process().note(
        concat("bytes, 2 images, threads: ", openmp_threads(), ", ", text_of(forward_product(layer))),
        kernel);
    IntegerProduct product(forward_product(layer));
    product.set_weights(data.weights);
    if (kernel.starts_with("own") || (kernel == "oneDNN" && product.may_be_library())) {
      EXPECT_EQ(product.kernel(), kernel);
    }
    EXPECT_EQ(sums_of_run(product, data), data.forward) << kernel;
    EXPECT_EQ(sums_of_run(product, data), data.forward) << kernel << ", once more";
  }
}

TEST(IntegerProduct, KnowsWhenSumsMayOverflow) {
  EXPECT_TRUE(IntegerConvolution::fits({{1, (1 << 17) - 1, 1, 1}, {1, 1, 1, 1}, 1, 1, 0}));
  EXPECT_FALSE(IntegerConvolution::fits({{1, 1 << 17, 1, 1}, {1, 1, 1, 1}, 1, 1, 0}));
  EXPECT_FALSE(IntegerConvolution::fits({{1, 1, 4, 4}, {1, 1 << 15, 3, 3}, 2, 1, 0}));
}

TEST(IntegerProduct, ALayerWhoseSumsMayOverflowIsNamed) {
  const ModelDescription model =
      ModelBuilder("wide").convolution("conv1", {.channels = 128, .kernel = 1}).linear("fc1", 2).build();
  const Graph graph = lower(model, {1, 1, 32, 32}, /*quantized=*/true);
  testing::internal::CaptureStderr();
  const Network network(graph, initialize(graph, 1.0, 7), /*training=*/true, Arithmetic::integer);
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(log, "adapt: layer fc1 does not run on bytes: a sum of its 131072 products may exceed 32 bits\n");
}

}  // namespace
}  // namespace adapt
