// 8-bit products for any x86-64: also the slow reference of the others.

#include "numerics/vector/product.hpp"

namespace adapt::vector::plain {
namespace {

std::int32_t at(const std::int8_t* panel, std::size_t k, std::size_t column) {
  return panel[(k / kProductGroup * kProductTile + column) * kProductGroup + k % kProductGroup];
}

void multiply_panel(const std::uint8_t* const* blocks, std::size_t count, std::size_t row_stride,
                    const std::int8_t* panel, std::size_t depth, std::int32_t* c) {
  for (std::size_t block = 0; block < count; ++block) {
    for (std::size_t row = 0; row < kProductTile; ++row, c += kProductTile) {
      std::uint32_t sums[kProductTile] = {};  // unsigned: they may wrap around
      for (std::size_t k = 0; k < depth; ++k) {
        const std::int32_t left = blocks[block][row * row_stride + k];
        for (std::size_t column = 0; column < kProductTile; ++column) {
          sums[column] += static_cast<std::uint32_t>(left * at(panel, k, column));
        }
      }
      for (std::size_t column = 0; column < kProductTile; ++column) {
        c[column] = static_cast<std::int32_t>(sums[column]);
      }
    }
  }
}

void multiply(const std::uint8_t* const* blocks, std::size_t count, std::size_t row_stride,
              const std::int8_t* panels, std::size_t panel_count, std::size_t depth, std::int32_t* c) {
  for (std::size_t panel = 0; panel < panel_count; ++panel) {
    multiply_panel(blocks, count, row_stride, panels + panel * kProductTile * depth, depth,
                   c + panel * count * kProductTile * kProductTile);
  }
}

void sum_columns(const std::int8_t* panel, std::size_t depth, std::int32_t* sums) {
  for (std::size_t column = 0; column < kProductTile; ++column) {
    sums[column] = 0;
    for (std::size_t k = 0; k < depth; ++k) {
      sums[column] += at(panel, k, column);
    }
  }
}

}  // namespace

const ProductKernels kProducts = {.name = "plain", .multiply = multiply, .sum_columns = sum_columns};

}  // namespace adapt::vector::plain
