// A library that multiplies wrongly is found out before a layer uses it, and its place is taken.

#include "nn/kernels/known_answer.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <vector>

#include "base/fault.hpp"
#include "nn/kernels/integer_convolution.hpp"
#include "nn/kernels/integer_products.hpp"
#include "nn/kernels/onednn.hpp"

namespace adapt {
namespace {

bool is_right(const WindowProduct& product) {
  LibraryProduct library(product);
  return gives_known_answer(product, library);
}

/// A convolution, and one that adds up more products than float32 sums of the extremes allow.
const WindowProduct kUsual = {{3, 16, 8, 8}, {3, 32, 4, 4}, 3, 2, 1};
const WindowProduct kLarge = {{2, 256, 4, 4}, {2, 64, 4, 4}, 3, 1, 1};
const WindowProduct kLinear = {{3, 3000, 1, 1}, {3, 2, 1, 1}, 1, 1, 0};
const WindowProduct kGroups = {{3, 32, 8, 8}, {3, 64, 8, 8}, 3, 1, 1, false, 4};

TEST(KnownAnswer, IsGivenByALibraryThatIsRight) {
  if (!onednn::has_exact_bytes()) {
    GTEST_SKIP() << "without VNNI oneDNN's 8-bit sums saturate";
  }
  for (const WindowProduct& product : {kUsual, kLarge, kLinear, kGroups}) {
    EXPECT_TRUE(is_right(product));
  }
}

TEST(KnownAnswer, IsNotGivenWhereSumsSaturate) {
  if (onednn::has_exact_bytes()) {
    GTEST_SKIP() << "with VNNI no sum saturates; ONEDNN_MAX_CPU_ISA=AVX2 shows it";
  }
  for (const WindowProduct& product : {kUsual, kLarge, kLinear, kGroups}) {
    EXPECT_FALSE(is_right(product));
  }
}

TEST(LibraryProduct, DoesNotTakeEveryShape) {
  EXPECT_TRUE(LibraryProduct::takes(kUsual));
  EXPECT_TRUE(LibraryProduct::takes(kLinear));
  EXPECT_FALSE(LibraryProduct::takes({{1, 1, 10, 10}, {1, 1, 8, 8}, 2, 1, 0}));  // a row is in no window
  EXPECT_FALSE(LibraryProduct::takes({{3, 32, 4, 4}, {3, 16, 8, 8}, 3, 2, 1, true}));
}

/// What a layer computes whose library is made wrong on purpose. Ends the process.
[[noreturn]] void compute_with_wrong_library() {
  ::setenv("ADAPT_FAULT", "falsify,phase=known_answer", 1);
  fault::arm(0);
  const ProductGeometry geometry = {{2, 5, 6, 6}, {2, 7, 6, 6}, 3, 1, 1};
  const test::ByteProducts data(geometry, test::RandomBytes(4));
  IntegerConvolution convolution(geometry, /*data_gradient=*/true);
  IntegerProduct forward({geometry.input, geometry.output, 3, 1, 1});
  forward.set_weights(data.weights);
  static_cast<void>(convolution.set_weights(std::vector<float>(data.weights.begin(), data.weights.end()),
                                            FixedFormat{8, 0}));
  const auto sums =
      test::sums_of(data.dy.size(), [&](SumSink& sink) { convolution.forward(data.x.data(), sink); });
  const bool equal = std::equal(sums.begin(), sums.end(), data.forward.begin());
  std::cerr << (forward.may_be_library() ? "library" : "own products") << (equal ? ", equal" : ", different");
  std::exit(0);
}

TEST(KnownAnswer, AWrongLibraryIsRefusedWithOneLine) {
  if (!onednn::has_exact_bytes()) {
    GTEST_SKIP() << "without VNNI oneDNN's 8-bit sums saturate, and it is not asked";
  }
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(compute_with_wrong_library(), testing::ExitedWithCode(0),
              "^adapt: warning: oneDNN [0-9.]+ .*wrong sums of products for 5 to 7 channels[^\n]*\n"
              "own products, equal$");
}

}  // namespace
}  // namespace adapt
