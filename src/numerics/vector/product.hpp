#pragma once

// Products of 8-bit matrices, in the layouts that the processors' dot products read. Like kernels.hpp this
// header is seen by compilations for several instruction sets and holds no inline function.

#include <cstddef>
#include <cstdint>

namespace adapt::vector {

/// Rows of a block of the left matrix, and columns of a panel of the right one.
inline constexpr std::size_t kProductTile = 16;
/// The depth must be a multiple of it.
inline constexpr std::size_t kProductDepth = 64;
/// Panels that are best multiplied at once.
inline constexpr std::size_t kProductPanels = 2;
/// Neighbours along the depth that stand together in a panel.
inline constexpr std::size_t kProductGroup = 4;

/// The functions of one instruction set. Sums wrap around at 2^32.
struct ProductKernels {
  const char* name;
  /// c[p][b][i][j] = sum over k < depth of blocks[b][i · row_stride + k] · panel(p, k, j), c being
  /// panel_count times `count` times 16 × 16; panel(p, k, j) stands at panels[p · 16 · depth + (k / 4 · 16 +
  /// j) · 4 + k mod 4].
  void (*multiply)(const std::uint8_t* const* blocks, std::size_t count, std::size_t row_stride,
                   const std::int8_t* panels, std::size_t panel_count, std::size_t depth, std::int32_t* c);
  /// sums[j] = sum over k < depth of panel(k, j).
  void (*sum_columns)(const std::int8_t* panel, std::size_t depth, std::int32_t* sums);
};

namespace plain {
extern const ProductKernels kProducts;
}
namespace vnni {
extern const ProductKernels kProducts;
}
namespace amx {
extern const ProductKernels kProducts;
}

}  // namespace adapt::vector
