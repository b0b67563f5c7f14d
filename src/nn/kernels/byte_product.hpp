#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "nn/kernels/product_sink.hpp"
#include "nn/kernels/window_product.hpp"

namespace adapt {

/// A product of bytes by our own arithmetic, for every shape, exact while sums stay below 2^31.
class ByteProduct {
 public:
  virtual ~ByteProduct() = default;
  ByteProduct() = default;
  ByteProduct(const ByteProduct&) = delete;
  ByteProduct& operator=(const ByteProduct&) = delete;

  /// `weights` are (O, I / groups, KH, KW).
  virtual void set_weights(std::span<const std::int8_t> weights) = 0;
  /// sums (N, H, W, O) ← source (N, h, w, I).
  virtual void run(const void* source, SumSink& sums) = 0;
};

/// The fastest one for the shape. The bytes of the source are signed unless `is_unsigned`.
std::unique_ptr<ByteProduct> make_byte_product(const WindowProduct& product, bool is_unsigned = false);

}  // namespace adapt
