#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/aligned.hpp"
#include "nn/kernels/depthwise.hpp"
#include "nn/kernels/flat_window.hpp"
#include "nn/kernels/float_weight_gradient.hpp"
#include "nn/kernels/gradient_grid.hpp"
#include "nn/kernels/gradient_groups.hpp"
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
  bool sums_begin = false;                ///< the next products are the first ones of `sums`
  AlignedVector<double> wide;             ///< the same, of all pixels before; empty: none
  std::vector<std::int64_t> column_sums;  ///< of dY
  GroupChannels<std::int8_t> byte_group;
  GroupChannels<float> grid_group;
  FloatGradientScratch floats;
};

/// Σ X · dY of a layer without groups as a product of matrices.
template <class Operands>
class GradientMatrix {
 public:
  explicit GradientMatrix(const ProductGeometry& geometry);

  /// Sums in `scratch` begin.
  void begin(WeightGradientScratch& scratch) const;
  /// Where sums go in the end: weights (OC, IC, KH, KW) = sums · step.
  struct Destination {
    float* weights;
    float step;
  };

  /// Adds those of all images, times `factor`; sums over `most` pixels, whole steps, stay below 2^31.
  template <class Source>
  void add(const Source& x, const Source& dy, std::size_t most, double factor, GradientRoom<Operands>& room,
           WeightGradientScratch& scratch) const;
  /// The last ones, times 1, with the sums of dY; then the sums are stored.
  template <class Source>
  void add_last(const Source& x, const Source& dy, std::size_t most, const Destination& to,
                GradientRoom<Operands>& room, WeightGradientScratch& scratch) const;

 private:
  /// Calls add_slice(first, length, is_last) for all pixels, which are laid out before; sums so far are
  /// moved, times `factor`, before they might overflow.
  template <class Source, class AddSlice>
  void each_slice(const Source& x, const Source& dy, std::size_t most, double factor,
                  GradientRoom<Operands>& room, WeightGradientScratch& scratch, AddSlice add_slice) const;
  /// Where the sums of some blocks of rows stand, [panel][block][row][column].
  struct Blocks {
    std::size_t first;
    std::size_t count;
    std::size_t sums;
  };

  [[nodiscard]] std::size_t panels() const { return grid_.columns() / vector::kProductTile; }
  /// Adds the products of `length` pixels from `first` on. With `to`, which is where the sums go unless some
  /// are moved already, each is stored while it is in the cache.
  void add_slice(std::size_t first, std::size_t length, GradientRoom<Operands>& room,
                 WeightGradientScratch& scratch, const Destination* to = nullptr) const;
  /// Adds the sums of dY over the same pixels.
  void add_columns(std::size_t first, std::size_t length, const GradientRoom<Operands>& room,
                   WeightGradientScratch& scratch) const;
  /// Moves the sums so far, times `factor`, to where they do not overflow.
  static void widen(double factor, WeightGradientScratch& scratch);
  /// Stores all sums.
  void store(const Destination& to, const WeightGradientScratch& scratch) const;
  /// Those of some blocks, from `sums` on, or from `wide` on where that is not null.
  void store_blocks(const Blocks& blocks, const std::int32_t* sums, const double* wide, const Destination& to,
                    const WeightGradientScratch& scratch) const;
  void store_tile(std::size_t row, std::size_t panel, const std::int32_t* sums, const double* wide,
                  const std::int64_t* column_sums, const Destination& to) const;

  ProductGeometry geometry_;
  GradientGrid<Operands> grid_;
  std::vector<std::int32_t> zeros_;
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
  FlatWindow window_;
  ProductGeometry layer_;     ///< as it is computed
  ProductGeometry geometry_;  ///< of a group
  std::optional<DepthwiseWeightGradient<std::int8_t>> depthwise_;
  std::optional<GradientMatrix<ByteOperands>> bytes_;  ///< where the processor multiplies bytes
  std::optional<GradientMatrix<WordOperands>> words_;  ///< elsewhere
};

/// The same of tensors on grids whose integers have at most 16 bits. With groups they are numbers.
class GridWeightGradient {
 public:
  explicit GridWeightGradient(const ProductGeometry& layer);

  /// weights (OC, IC / groups, KH, KW) and, unless null, `bias` (OC): each sum is exact, and rounded once.
  void run(const GridTensor& x, const GridTensor& dy, float* weights, float* bias,
           WeightGradientScratch& scratch) const;

 private:
  /// The same for one group, with its channels only.
  void run_group(const GridTensor& x, const GridTensor& dy, float* weights, float* bias,
                 WeightGradientScratch& scratch) const;

  FlatWindow window_;
  ProductGeometry layer_;     ///< as it is computed
  ProductGeometry geometry_;  ///< of a group
  std::optional<DepthwiseWeightGradient<float>> depthwise_;
  std::optional<GradientMatrix<WordOperands>> words_;
};

}  // namespace adapt
