#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/aligned.hpp"
#include "nn/kernels/exact_data_gradient.hpp"
#include "nn/kernels/flat_window.hpp"
#include "nn/kernels/grid_product.hpp"
#include "numerics/format.hpp"

namespace adapt {

/// Forward and data gradient of a convolution (or, on 1×1 images, a linear layer) of tensors on grids whose
/// integers have at most 16 bits: each sum is exact, and rounded once.
class GridConvolution {
 public:
  /// Whether the sums of both, and of the weight gradient, are exact, whatever the integers are.
  static bool fits(const ProductGeometry& geometry);
  /// Whether the integers of such numbers, on the grid of `format`, fit.
  static bool fit(std::span<const float> numbers, FixedFormat format);

  explicit GridConvolution(const ProductGeometry& geometry);

  /// `values` (OC, IC / groups, KH, KW) are on the grid of `format`, and fit.
  void set_weights(std::span<const float> values, FixedFormat format);

  /// y (N, OH, OW, OC) ← x (N, H, W, IC). Of depthwise layers tensors are numbers, not words.
  void forward(const GridTensor& x, ProductSink<float>& y);
  /// dx (N, H, W, IC) ← dy (N, OH, OW, OC).
  void data_gradient(const GridTensor& dy, ProductSink<float>& dx);

 private:
  FlatWindow window_;
  AlignedVector<std::int16_t> plain_;
  AlignedVector<std::int16_t> exchanged_;  ///< of the data gradient
  float step_ = 1;                         ///< of the weights
  AlignedVector<float> gradient_piece_;
  ExactDataGradient gradient_form_;
  std::unique_ptr<GridProduct> forward_;
  std::unique_ptr<GridProduct> gradient_;  ///< made when it is first needed
  bool gradient_has_weights_ = false;      ///< the present ones
};

}  // namespace adapt
