#pragma once

#include <cstdint>
#include <dnnl.hpp>
#include <span>

#include "base/aligned.hpp"
#include "nn/quantized/weight_gradient.hpp"
#include "numerics/format.hpp"

namespace adapt {

/// Forward and data gradient of a convolution (or, on 1×1 images, a linear layer) in 8-bit arithmetic with
/// 32-bit sums: oneDNN, which has no 8-bit backward. The data gradient is a convolution with turned weights
/// where the stride is 1, and a transposed convolution elsewhere. Exact while sums stay below 2^31 and
/// onednn::has_exact_bytes().
class IntegerConvolution {
 public:
  /// With `data_gradient` false only forward is there.
  IntegerConvolution(const ProductGeometry& geometry, bool data_gradient);

  /// Takes the integers of `values` (OC, IC, KH, KW), which are on the grid of `format` (WL <= 8).
  void set_weights(std::span<const float> values, FixedFormat format);

  /// sums (N, OH, OW, OC) ← x (N, H, W, IC).
  void forward(const std::int8_t* x, std::int32_t* sums);
  /// sums (N, H, W, IC) ← dy (N, OH, OW, OC).
  void data_gradient(const std::int8_t* dy, std::int32_t* sums);

 private:
  /// A primitive and its weights in the layout that it likes.
  struct Product {
    dnnl::primitive primitive;
    dnnl::memory weights;
    dnnl::memory source;
    dnnl::memory destination;
  };

  template <class Description>
  static Product make_product(const Description& description);
  Product make_forward() const;
  Product make_turned() const;
  Product make_transposed() const;
  /// Fills exchanged_ from plain_.
  void exchange_channels();
  template <std::size_t kArea>
  void exchange_channels_of();
  static void run(Product& product, const std::int8_t* from, std::int32_t* to);
  [[nodiscard]] int padding_behind(int size, int places) const;

  ProductGeometry geometry_;
  bool has_gradient_;
  bool turned_;  ///< the data gradient is a convolution
  AlignedVector<std::int8_t> plain_;
  AlignedVector<std::int8_t> exchanged_;  ///< (IC, OC, KH, KW), turned by 180 degrees where turned_
  Product forward_;
  Product gradient_;
};

}  // namespace adapt
