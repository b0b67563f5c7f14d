#pragma once

#include <memory>
#include <span>

#include "nn/kernels/product_sink.hpp"
#include "nn/kernels/window_product.hpp"

namespace adapt {

/// A product of float32 numbers whose bits are the same on every processor: a sum is
/// fma(source, weight, ·), from 0 on, over the rows, columns and channels of the source in their order; that
/// of a depthwise product is made in doubles, over the rows and columns of the kernel, and rounded once. What
/// lies beyond the source's border may be left out or be zeros: of finite numbers that is the same, as a
/// result of -0 is 0.
class FloatProduct {
 public:
  virtual ~FloatProduct() = default;
  FloatProduct() = default;
  FloatProduct(const FloatProduct&) = delete;
  FloatProduct& operator=(const FloatProduct&) = delete;

  /// `weights` are (O, I / groups, KH, KW).
  virtual void set_weights(std::span<const float> weights) = 0;
  /// numbers (N, H, W, O) ← source (N, h, w, I).
  virtual void run(const float* source, ProductSink<float>& numbers) = 0;
};

/// The one for the shape.
std::unique_ptr<FloatProduct> make_float_product(const WindowProduct& product);

}  // namespace adapt
