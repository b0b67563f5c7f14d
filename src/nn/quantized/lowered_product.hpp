#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned.hpp"
#include "nn/quantized/product_geometry.hpp"

namespace adapt {

/// A product of bytes by our own matrix products, for every shape, exact while sums stay below 2^31: each
/// window is laid out as a row, its terms side by side (pixels between those of a transposed one's source are
/// zeros), and multiplied with the weights as columns. For what the library cannot do; slower than that.
class LoweredProduct {
 public:
  /// The bytes of the source are signed unless `is_unsigned`.
  explicit LoweredProduct(const WindowProduct& product, bool is_unsigned = false);

  /// `weights` are (O, I, KH, KW).
  void set_weights(std::span<const std::int8_t> weights);
  void run(const void* source, std::int32_t* sums);

 private:
  void lay_out_window(const std::uint8_t* image, int y, int x, std::uint8_t* row) const;
  /// Lays out `count` windows, which begin with number `first` of the batch.
  void lay_out(const std::uint8_t* source, std::size_t first, std::size_t count);
  void multiply(std::int32_t* sums, std::size_t count);

  WindowProduct product_;
  std::uint8_t bias_;   ///< added to bytes of the source to make them unsigned
  std::size_t depth_;   ///< terms, in whole steps
  std::size_t panels_;  ///< of weights
  AlignedVector<std::int8_t> weights_;
  std::vector<std::int32_t> corrections_;  ///< by channel: what the bias of the rows adds to a sum
  AlignedVector<std::uint8_t> rows_;
  AlignedVector<std::int32_t> tiles_;
};

}  // namespace adapt
