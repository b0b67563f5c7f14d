#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned.hpp"
#include "nn/kernels/byte_product.hpp"
#include "nn/kernels/window_product.hpp"

namespace adapt {

/// By our own matrix products: each window is laid out as a row, its terms side by side (pixels between those
/// of a transposed one's source are zeros), and multiplied with the weights as columns, group by group. For
/// what the library cannot do; slower than that.
class Im2colProduct : public ByteProduct {
 public:
  Im2colProduct(const WindowProduct& product, bool is_unsigned);

  void set_weights(std::span<const std::int8_t> weights) override;
  void run(const void* source, std::int32_t* sums) override;

 private:
  void lay_out_window(const std::uint8_t* image, int y, int x, std::uint8_t* row) const;
  /// Lays out `count` windows, which begin with number `first` of the batch, for a group whose channels begin
  /// at `source`.
  void lay_out(const std::uint8_t* source, std::size_t first, std::size_t count);
  /// Sums of the windows for `group`, whose channels begin at `sums`.
  void multiply(std::size_t group, std::int32_t* sums, std::size_t count);

  WindowProduct product_;
  std::uint8_t bias_;    ///< added to bytes of the source to make them unsigned
  std::size_t depth_;    ///< terms, in whole steps
  std::size_t outputs_;  ///< channels of a group
  std::size_t panels_;   ///< of a group's weights
  AlignedVector<std::int8_t> weights_;
  std::vector<std::int32_t> corrections_;  ///< by group and column: what the bias of the rows adds to a sum
  AlignedVector<std::uint8_t> rows_;
  AlignedVector<std::int32_t> tiles_;
};

}  // namespace adapt
