// The rows and panels of a weight gradient against the pixels that they are made of.

#include "nn/kernels/gradient_grid.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "nn/kernels/integer_products.hpp"

namespace adapt {
namespace {

using vector::kProductTile;

/// All of a batch, laid out.
template <class Operands>
struct LaidOut {
  using Grid = GradientGrid<Operands>;

  explicit LaidOut(const test::ByteProducts& data) : grid(data.geometry) {
    grid.lay_out(ByteSource<std::int8_t>{data.x.data()}, ByteSource<std::int8_t>{data.dy.data()}, 0,
                 grid.images(), Grid::kSlice, room);
    const std::size_t depth = grid.depth(grid.images());
    rows.resize((grid.rows() + kProductTile) * depth);
    for (std::size_t row = 0; row < grid.rows(); row += kProductTile) {
      for (std::size_t first = 0; first < depth; first += Grid::kSlice) {
        const std::size_t length = std::min(Grid::kSlice, depth - first);
        grid.copy_rows(room, row, first, length, rows.data() + row * depth + first, depth);
      }
    }
  }

  /// dY at a pixel of the depth.
  [[nodiscard]] int dy(std::size_t pixel, std::size_t channel) const {
    constexpr std::size_t kGroup = Operands::kGroup;
    const std::size_t slice = pixel / Grid::kSlice * Grid::kSlice;
    const std::size_t length = std::min(Grid::kSlice, grid.depth(grid.images()) - slice);
    const std::size_t k = pixel - slice;
    return room.dy[slice * grid.columns() + channel / kProductTile * kProductTile * length +
                   (k / kGroup * kProductTile + channel % kProductTile) * kGroup + k % kGroup];
  }

  Grid grid;
  typename Grid::Room room;
  std::vector<typename Operands::Left> rows;
};

template <class Operands>
void expect_weight_gradient_of_grid(const ProductGeometry& geometry) {
  const test::ByteProducts data(geometry, test::RandomBytes(6));
  const LaidOut<Operands> laid_out(data);
  ASSERT_EQ(laid_out.grid.images(), geometry.input.n);
  const std::size_t depth = laid_out.grid.depth(geometry.input.n);
  const std::size_t rows = laid_out.grid.rows();
  for (std::size_t channel = 0; channel < static_cast<std::size_t>(geometry.output.c); ++channel) {
    for (std::size_t row = 0; row < rows; ++row) {
      std::int64_t sum = 0;
      for (std::size_t pixel = 0; pixel < depth; ++pixel) {
        sum += (laid_out.rows[row * depth + pixel] - Operands::kZero) * laid_out.dy(pixel, channel);
      }
      ASSERT_EQ(sum, data.weight_gradient[channel * rows + row]) << row << " " << channel;
    }
  }
}

class Grid : public testing::TestWithParam<ProductGeometry> {};

TEST_P(Grid, ItsProductIsTheWeightGradient) {
  expect_weight_gradient_of_grid<ByteOperands>(GetParam());
  expect_weight_gradient_of_grid<WordOperands>(GetParam());
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, Grid,
    testing::Values(ProductGeometry{{2, 16, 8, 8}, {2, 16, 8, 8}, 3, 1, 1},      // as it stands
                    ProductGeometry{{3, 3, 5, 7}, {3, 4, 5, 7}, 5, 1, 2},        // staged
                    ProductGeometry{{2, 12, 4, 4}, {2, 16, 3, 3}, 3, 1, 1},      // smaller than the grid
                    ProductGeometry{{2, 6, 9, 8}, {2, 20, 5, 4}, 3, 2, 1},       // phases
                    ProductGeometry{{4, 5, 7, 7}, {4, 3, 3, 3}, 1, 3, 0},        // of which one is read
                    ProductGeometry{{1, 3, 32, 32}, {1, 8, 8, 8}, 11, 4, 5},     // weights far outside
                    ProductGeometry{{1, 2, 40, 40}, {1, 2, 40, 40}, 3, 1, 1},    // slices
                    ProductGeometry{{70, 33, 1, 1}, {70, 10, 1, 1}, 1, 1, 0}));  // a linear layer

TEST(GradientGrid, HasNoBorder) {
  const GradientGrid<ByteOperands> grid({{64, 384, 2, 2}, {64, 256, 2, 2}, 3, 1, 1});
  EXPECT_EQ(grid.depth(64), 64U * 4);
  EXPECT_EQ(grid.rows(), 384U * 9);
}

}  // namespace
}  // namespace adapt
