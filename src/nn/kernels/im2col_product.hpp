#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned.hpp"
#include "nn/kernels/byte_product.hpp"
#include "nn/kernels/operands.hpp"
#include "nn/kernels/window_product.hpp"
#include "nn/kernels/window_rows.hpp"
#include "numerics/vector/product.hpp"

namespace adapt {

/// By our own matrix products: each window is a row, multiplied with the weights as columns, group by group.
/// Where there are few outputs, windows of neighbours may be one row, and each has columns of its own: most
/// of their terms are the same.
template <class Operands>
class Im2colProduct : public ByteProduct {
 public:
  /// `row_width`: windows of a row, which divide the width of the destination.
  Im2colProduct(const WindowProduct& product, bool is_unsigned, std::size_t row_width);

  void set_weights(std::span<const std::int8_t> weights) override;
  void run(const void* source, SumSink& sums) override;

 private:
  template <class Byte>
  void run_on(const Byte* source, SumSink& sums);
  /// Sums of `count` rows, of all groups.
  void multiply(std::int32_t* sums, std::size_t count);
  void multiply_group(std::size_t group, std::int32_t* sums, std::size_t count);
  /// The same of `count` rows from `first` on, a multiple of a block's, where the sums stand as `places`
  /// says.
  void multiply_blocks(std::size_t group, std::size_t first, std::size_t count, std::int32_t* sums,
                       const vector::SumPlaces& places);

  WindowProduct product_;
  bool is_unsigned_;        ///< the source
  std::uint8_t zero_;       ///< what zero is in a row
  std::size_t neighbours_;  ///< of a row
  WindowRows<Operands> rows_;
  std::size_t groups_;
  std::size_t outputs_;   ///< channels of a group
  std::size_t row_sums_;  ///< of a row and group: those of all neighbours
  std::size_t panels_;    ///< of a group's weights
  AlignedVector<typename Operands::Right> weights_;
  AlignedVector<typename Operands::Right> columns_;  ///< of a panel, the terms of each side by side
  std::vector<std::int32_t> initial_;                ///< by group and column: what makes up for zero_
  std::vector<const typename Operands::Left*> blocks_;
  AlignedVector<std::int32_t> tiles_;  ///< sums of which some are wanted
};

}  // namespace adapt
