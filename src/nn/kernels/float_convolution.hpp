#pragma once

#include <memory>
#include <span>

#include "base/aligned.hpp"
#include "nn/kernels/data_gradient.hpp"
#include "nn/kernels/float_product.hpp"

namespace adapt {

/// Forward and data gradient of a convolution (or, on 1×1 images, a linear layer) of float32 numbers, whose
/// bits are the same on every processor (nn/kernels/float_product.hpp).
class FloatConvolution {
 public:
  explicit FloatConvolution(const ProductGeometry& geometry)
      : geometry_(geometry), gradient_form_(geometry) {}

  /// `weights` (OC, IC / groups, KH, KW) must live as long as products with them are made.
  void set_weights(std::span<const float> weights);

  /// y (N, OH, OW, OC) ← x (N, H, W, IC).
  void forward(const float* x, ProductSink<float>& y);
  /// dx (N, H, W, IC) ← dy (N, OH, OW, OC).
  void data_gradient(const float* dy, ProductSink<float>& dx);

 private:
  /// A product, made when it is first needed.
  struct Product {
    std::unique_ptr<FloatProduct> product;
    bool has_weights = false;  ///< the present ones
  };

  ProductGeometry geometry_;
  DataGradient gradient_form_;
  std::span<const float> weights_;
  AlignedVector<float> exchanged_;  ///< of the data gradient
  Product forward_;
  Product gradient_;
};

}  // namespace adapt
