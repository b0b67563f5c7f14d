#pragma once

#include <algorithm>
#include <cstddef>

#include "nn/kernels/operands.hpp"
#include "numerics/vector/product.hpp"

namespace adapt {

/// Puts `depth` terms, whole groups, which are column `column` of a right matrix, into panels of that depth
/// (numerics/vector/product.hpp).
template <class Operands>
void place_column(const typename Operands::Right* terms, std::size_t depth, std::size_t column,
                  typename Operands::Right* panels) {
  constexpr std::size_t kGroup = Operands::kGroup;
  typename Operands::Right* to = panels + column / vector::kProductTile * vector::kProductTile * depth +
                                 column % vector::kProductTile * kGroup;
  for (std::size_t term = 0; term < depth; term += kGroup, to += vector::kProductTile * kGroup) {
    std::copy_n(terms + term, kGroup, to);
  }
}

}  // namespace adapt
