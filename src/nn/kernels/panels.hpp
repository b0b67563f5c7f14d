#pragma once

#include <algorithm>
#include <cstddef>

#include "nn/kernels/operands.hpp"
#include "numerics/vector/product.hpp"

namespace adapt {

/// Writes a panel of a right matrix (numerics/vector/product.hpp) of `depth` rows, whole groups, from its
/// first `count` columns, whose terms stand side by side, `stride` elements from a column to the next one.
/// The other columns stay as they are.
template <class Operands>
void place_panel(const typename Operands::Right* columns, std::size_t stride, std::size_t count,
                 std::size_t depth, typename Operands::Right* panel) {
  constexpr std::size_t kGroup = Operands::kGroup;
  for (std::size_t term = 0; term < depth; term += kGroup, panel += vector::kProductTile * kGroup) {
    for (std::size_t column = 0; column < count; ++column) {
      std::copy_n(columns + column * stride + term, kGroup, panel + column * kGroup);
    }
  }
}

}  // namespace adapt
