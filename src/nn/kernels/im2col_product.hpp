#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned.hpp"
#include "nn/kernels/byte_product.hpp"
#include "nn/kernels/float_product.hpp"
#include "nn/kernels/operands.hpp"
#include "nn/kernels/window_product.hpp"
#include "nn/kernels/window_rows.hpp"
#include "numerics/vector/product.hpp"

namespace adapt {

/// A product by our own matrix products: each window is a row, multiplied with the weights as columns, group
/// by group.
template <class Operands>
class Im2colProduct {
 public:
  using Left = typename Operands::Left;
  using Sum = typename Operands::Sum;

  /// `zero` is what zero is in a row.
  explicit Im2colProduct(const WindowProduct& product, Left zero = Operands::kZero);

  /// `weights` are (O, I / groups, KH, KW).
  template <class Number>
  void set_weights(std::span<const Number> weights);
  /// sums (N, H, W, O) ← source (N, h, w, I), which copies its elements (nn/kernels/operands.hpp).
  template <class Source>
  void run(const Source& source, ProductSink<Sum>& sums);

 private:
  /// Sums of `count` rows, of all groups.
  void multiply(Sum* sums, std::size_t count);
  void multiply_group(std::size_t group, Sum* sums, std::size_t count);
  /// The same of `count` rows from `first` on, a multiple of a block's, where the sums stand as `places`
  /// says.
  void multiply_blocks(std::size_t group, std::size_t first, std::size_t count, Sum* sums,
                       const vector::SumPlaces& places);

  WindowProduct product_;
  Left zero_;
  WindowRows<Operands> rows_;
  std::size_t groups_;
  std::size_t outputs_;  ///< channels of a group
  std::size_t panels_;   ///< of a group's weights
  AlignedVector<typename Operands::Right> weights_;
  std::vector<Sum> initial_;  ///< by group and column: what makes up for zero_
  std::vector<const Left*> blocks_;
  AlignedVector<Sum> tiles_;  ///< sums of which some are wanted
};

/// Of bytes, as `Operands` multiply them.
template <class Operands>
class Im2colByteProduct : public ByteProduct {
 public:
  Im2colByteProduct(const WindowProduct& product, bool is_unsigned);

  void set_weights(std::span<const std::int8_t> weights) override;
  void run(const void* source, SumSink& sums) override;

 private:
  bool is_unsigned_;   ///< the source
  std::uint8_t zero_;  ///< what zero is in a row
  Im2colProduct<Operands> product_;
};

class Im2colFloatProduct : public FloatProduct {
 public:
  explicit Im2colFloatProduct(const WindowProduct& product);

  void set_weights(std::span<const float> weights) override;
  void run(const float* source, ProductSink<float>& numbers) override;

 private:
  Im2colProduct<FloatOperands> product_;
};

}  // namespace adapt
