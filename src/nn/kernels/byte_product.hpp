#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

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

/// Of how many windows a row of our products may be, where that has any meaning for the shape: what takes the
/// fewest multiplications first, 1 last.
std::vector<std::size_t> row_widths(const WindowProduct& product);

/// The bytes of the source are signed unless `is_unsigned`. `row_width`: one of row_widths().
std::unique_ptr<ByteProduct> make_byte_product(const WindowProduct& product, bool is_unsigned,
                                               std::size_t row_width);
/// With the first of row_widths().
std::unique_ptr<ByteProduct> make_byte_product(const WindowProduct& product, bool is_unsigned = false);

}  // namespace adapt
