// Products by rows of windows against loops in int64, without oneDNN.

#include "nn/kernels/im2col_product.hpp"

#include <gtest/gtest.h>

#include "nn/kernels/integer_products.hpp"

namespace adapt {
namespace {

ProductGeometry geometry(const Shape& in, int channels, const Window& window, int groups) {
  return {in, window.output(in, channels), window.kernel, window.stride, window.padding, groups};
}

class Im2col : public testing::TestWithParam<ProductGeometry> {};

TEST_P(Im2col, SumsEqualLoops) {
  for (const std::size_t width : row_widths(forward_product(GetParam()))) {
    SCOPED_TRACE(width);
    test::expect_product_equals_loops<Im2colProduct<WordOperands>>(GetParam(), width);
    if (vector::level().bytes != nullptr) {
      test::expect_product_equals_loops<Im2colProduct<ByteOperands>>(GetParam(), width);
    }
  }
}

TEST(RowWidths, AreThoseThatSaveTerms) {
  const auto widths = [](const ProductGeometry& layer) { return row_widths(forward_product(layer)); };
  // Of kernel k a row of n windows has k + n - 1 columns of terms for n · k.
  EXPECT_EQ(widths(geometry({3, 5, 9, 12}, 4, {3, 1, 1}, 1)), (std::vector<std::size_t>{4, 3, 2, 1}));
  EXPECT_EQ(widths(geometry({3, 5, 9, 10}, 4, {3, 1, 1}, 1)), (std::vector<std::size_t>{2, 1}));
  EXPECT_EQ(widths(geometry({3, 5, 9, 12}, 4, {1, 1, 0}, 1)), (std::vector<std::size_t>{1}));
  EXPECT_EQ(widths(geometry({3, 5, 9, 12}, 16, {3, 1, 1}, 1)), (std::vector<std::size_t>{1}));
  EXPECT_EQ(widths(geometry({3, 4, 9, 12}, 4, {3, 1, 1}, 2)), (std::vector<std::size_t>{1}));
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, Im2col,
    testing::Values(geometry({2, 3, 9, 8}, 20, {3, 1, 1}, 1), geometry({3, 17, 5, 5}, 16, {5, 2, 2}, 1),
                    geometry({2, 16, 5, 16}, 16, {3, 1, 1}, 1),  // read where they stand
                    geometry({2, 12, 31, 31}, 36, {3, 2, 1}, 3), geometry({2, 64, 4, 32}, 20, {1, 1, 0}, 1),
                    geometry({2, 12, 6, 7}, 36, {3, 2, 1}, 4), geometry({1, 40, 4, 4}, 20, {1, 1, 0}, 20),
                    geometry({9, 100, 1, 1}, 10, {1, 1, 0}, 1),
                    // Rows of several neighbours, of each number of them.
                    geometry({3, 5, 9, 12}, 6, {3, 1, 1}, 1), geometry({2, 2, 11, 17}, 5, {5, 2, 2}, 1),
                    geometry({2, 1, 7, 32}, 1, {3, 1, 1}, 1), geometry({2, 1, 16, 64}, 8, {3, 1, 1}, 1)));

}  // namespace
}  // namespace adapt
