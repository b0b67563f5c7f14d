#pragma once

#include <cstdint>
#include <optional>
#include <type_traits>
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
  AlignedVector<typename Operands::Sum> sums;
  AlignedVector<double> wide;             ///< the same, of all pixels before; empty: none
  std::vector<std::int64_t> column_sums;  ///< of dY, where they are integers
};
struct WeightGradientScratch {
  /// The channels of a group.
  template <class Element>
  struct Group {
    std::vector<Element> x;
    std::vector<Element> dy;
  };

  GradientRoom<ByteOperands> bytes;
  GradientRoom<WordOperands> words;
  GradientRoom<FloatOperands> floats;
  Group<std::int8_t> byte_group;
  Group<float> float_group;
};

/// Σ X · dY of a layer without groups as a product of matrices.
template <class Operands>
class GradientMatrix {
 public:
  using Room = GradientRoom<Operands>;
  using Sum = typename Operands::Sum;

  explicit GradientMatrix(const ProductGeometry& geometry);

  /// Sums in `room` begin.
  void begin(Room& room) const;
  /// Adds those of all images, times `factor`; integer sums over `most` pixels, whole steps, stay below 2^31,
  /// others are made in doubles beyond. With factor 1 the sums of integers dY, too.
  template <class Source>
  void add(const Source& x, const Source& dy, std::size_t most, double factor, Room& room) const;
  /// weights (OC, IC, KH, KW) = sums · step.
  void store(float step, float* weights, const Room& room) const;

 private:
  static constexpr bool kAreIntegers = std::is_integral_v<Sum>;

  /// Where the sums of some blocks of rows stand, [panel][block][row][column].
  struct Blocks {
    std::size_t first;
    std::size_t count;
    std::size_t sums;
  };

  [[nodiscard]] std::size_t panels() const { return grid_.columns() / vector::kProductTile; }
  /// Adds the products of `length` pixels from `first` on.
  void add_slice(std::size_t first, std::size_t length, Room& room) const;
  /// Adds the sums of dY over the same pixels.
  void add_columns(std::size_t first, std::size_t length, Room& room) const;
  /// Moves the sums so far, times `factor`, to where they do not overflow.
  static void widen(double factor, Room& room);
  void store_tile(std::size_t row, std::size_t panel, std::size_t sums, float step, float* weights,
                  const Room& room) const;

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
  ProductGeometry layer_;
  ProductGeometry geometry_;  ///< of a group
  std::optional<DepthwiseWeightGradient<std::int8_t>> depthwise_;
  std::optional<GradientMatrix<ByteOperands>> bytes_;  ///< where the processor multiplies bytes
  std::optional<GradientMatrix<WordOperands>> words_;  ///< elsewhere
};

/// The same of tensors on grids whose integers have at most 16 bits.
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

  ProductGeometry layer_;
  ProductGeometry geometry_;  ///< of a group
  std::optional<DepthwiseWeightGradient<float>> depthwise_;
  std::optional<GradientMatrix<WordOperands>> words_;
};

/// The same of any float32 numbers, with bits that are the same on every processor: sums are
/// fma(x, dy, ·) over up to kPixels pixels, from 0 on, image by image, and these are added up in doubles and
/// rounded once; those of depthwise layers are doubles throughout.
class FloatWeightGradient {
 public:
  /// Pixels of GradientGrid, among which there are such outside of the output.
  static constexpr std::size_t kPixels = 4096;

  explicit FloatWeightGradient(const ProductGeometry& layer);

  /// weights (OC, IC / groups, KH, KW).
  void run(const float* x, const float* dy, float* weights, WeightGradientScratch& scratch) const;

 private:
  ProductGeometry layer_;
  std::optional<DepthwiseWeightGradient<float>> depthwise_;
  std::optional<GradientMatrix<FloatOperands>> matrix_;
};

}  // namespace adapt
