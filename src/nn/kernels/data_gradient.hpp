#pragma once

#include <cstddef>
#include <span>

#include "nn/kernels/window_product.hpp"

namespace adapt {

/// The data gradient of a layer as a product: a convolution with flipped weights where the stride is 1 and no
/// padding is negative, and a transposed convolution elsewhere.
class DataGradient {
 public:
  explicit DataGradient(const ProductGeometry& geometry);

  [[nodiscard]] const WindowProduct& product() const { return product_; }

  /// The weights of product(), (IC, OC / groups, KH, KW), from those of the layer, (OC, IC / groups, KH, KW).
  template <class Number>
  void exchange(std::span<const Number> weights, std::span<Number> exchanged) const;

 private:
  template <std::size_t kArea, class Number>
  void exchange_area(std::span<const Number> weights, std::span<Number> exchanged) const;

  ProductGeometry geometry_;
  bool flipped_;
  WindowProduct product_;
};

}  // namespace adapt
