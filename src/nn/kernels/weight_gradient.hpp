#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/aligned.hpp"
#include "nn/kernels/depthwise.hpp"
#include "nn/kernels/gradient_grid.hpp"
#include "nn/kernels/window_product.hpp"
#include "numerics/vector/product.hpp"

namespace adapt {

/// Memory that weight gradients of many layers share, one after the other.
template <class Operands>
struct GradientRoom {
  typename GradientGrid<Operands>::Room grid;
  AlignedVector<typename Operands::Left> rows;  ///< of X, of one slice
};
struct WeightGradientScratch {
  GradientRoom<ByteOperands> bytes;
  GradientRoom<WordOperands> words;
  AlignedVector<std::int32_t> sums;
  AlignedVector<std::int64_t> wide;       ///< the same, of all slices so far
  std::vector<std::int64_t> column_sums;  ///< of dY
  std::vector<std::int8_t> x;             ///< a group's channels
  std::vector<std::int8_t> dy;
};

/// Σ X · dY of a layer without groups as a product of matrices.
template <class Operands>
class GradientMatrix {
 public:
  explicit GradientMatrix(const ProductGeometry& geometry);

  /// Adds up the sums of all images in `scratch`.
  void multiply(const std::int8_t* x, const std::int8_t* dy, GradientRoom<Operands>& room,
                WeightGradientScratch& scratch) const;
  /// weights (OC, IC, KH, KW) = sums · step.
  void store(float step, float* weights, const WeightGradientScratch& scratch) const;

 private:
  /// Where the sums of some blocks of rows stand, [panel][block][row][column].
  struct Blocks {
    std::size_t first;
    std::size_t count;
    std::size_t sums;
  };

  [[nodiscard]] std::size_t panels() const { return grid_.columns() / vector::kProductTile; }
  /// Adds the products of `length` pixels from `first` on.
  void add_slice(std::size_t first, std::size_t length, GradientRoom<Operands>& room,
                 WeightGradientScratch& scratch) const;
  /// Takes the sums so far to 64 bits.
  static void widen(WeightGradientScratch& scratch);
  void store_tile(std::size_t row, std::size_t panel, const std::int32_t* sums, const std::int64_t* wide,
                  const std::int64_t* column_sums, float step, float* weights) const;

  ProductGeometry geometry_;
  GradientGrid<Operands> grid_;
  std::vector<Blocks> blocks_;
};

/// The weight gradient of a layer in 8-bit arithmetic, exact for any bytes and any number of pixels: sums
/// that may not fit 32 bits are made in pieces. Groups are done one after the other on copies of their
/// channels, depthwise layers by a kernel of their own.
class WeightGradient {
 public:
  explicit WeightGradient(const ProductGeometry& layer);

  /// weights (OC, IC / groups, KH, KW) = sums · step; `bias` (OC), unless null: the sums of dY · bias_step.
  /// `x` is (N, H, W, IC), `dy` (N, OH, OW, OC).
  void run(const std::int8_t* x, const std::int8_t* dy, float step, float bias_step, float* weights,
           float* bias, WeightGradientScratch& scratch) const;

 private:
  /// The same for one group, with its channels only.
  void run_group(const std::int8_t* x, const std::int8_t* dy, float step, float bias_step, float* weights,
                 float* bias, WeightGradientScratch& scratch) const;

  ProductGeometry layer_;
  ProductGeometry geometry_;  ///< of a group
  std::optional<DepthwiseWeightGradient> depthwise_;
  std::optional<GradientMatrix<ByteOperands>> bytes_;  ///< where the processor multiplies bytes
  std::optional<GradientMatrix<WordOperands>> words_;  ///< elsewhere
};

}  // namespace adapt
