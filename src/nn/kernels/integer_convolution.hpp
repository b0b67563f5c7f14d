#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/aligned.hpp"
#include "nn/kernels/byte_product.hpp"
#include "nn/kernels/exact_data_gradient.hpp"
#include "nn/kernels/flat_window.hpp"
#include "nn/kernels/tuning.hpp"
#include "nn/kernels/window_product.hpp"
#include "numerics/format.hpp"

namespace adapt {

/// A product of bytes with 32-bit sums, exact while they stay below 2^31: by one of our own products, or by
/// oneDNN where that is exact, too. The first runs try all in turn (nn/kernels/tuning.hpp), and what will not
/// be used again is given up. Since all are exact, nobody else needs to know which one it is, nor do ranks
/// have to agree on it.
class IntegerProduct {
 public:
  explicit IntegerProduct(const WindowProduct& product);

  /// `weights` are (O, I / groups, KH, KW).
  void set_weights(std::span<const std::int8_t> weights);
  void run(const std::int8_t* source, SumSink& sums);

  /// The name of what multiplies with the present weights in the next run.
  [[nodiscard]] const std::string& kernel() const { return kernels_[next()].name; }
  /// Whether oneDNN is exact with the present weights, and might be taken.
  [[nodiscard]] bool may_be_library() const { return may_be_library_; }

 private:
  struct Kernel {
    std::string name;
    std::unique_ptr<ByteProduct> product;  ///< null: not needed any more
  };

  void add_own_products();
  void add_library();
  /// Whether each sum is exact in the library whatever the operands are, and with these weights whatever the
  /// source is.
  [[nodiscard]] bool is_always_exact() const;
  [[nodiscard]] bool stays_exact(std::span<const std::int8_t> weights) const;
  [[nodiscard]] std::size_t next() const;
  void give_up_losers();

  WindowProduct product_;
  std::vector<Kernel> kernels_;  ///< our own; the library, where it gives right sums, last
  bool has_library_ = false;
  bool may_be_library_ = false;
  std::optional<KernelTrials> trials_;
};

/// Forward and data gradient of a convolution (or, on 1×1 images, a linear layer) in 8-bit arithmetic with
/// 32-bit sums. oneDNN has no 8-bit backward: the data gradient is a product of its own form. Exact where
/// fits().
class IntegerConvolution {
 public:
  /// Products that a sum has at most, forward or of the data gradient.
  static std::int64_t terms(const ProductGeometry& geometry);
  /// Whether no sum can reach 2^31, whatever the bytes are.
  static bool fits(const ProductGeometry& geometry);

  /// With `data_gradient` false only forward is there.
  IntegerConvolution(const ProductGeometry& geometry, bool data_gradient);

  /// Takes the integers of `values` (OC, IC / groups, KH, KW), which are on the grid of `format` (WL <= 8).
  /// False where there is NaN or Inf among them, and no more may be done with it.
  [[nodiscard]] bool set_weights(std::span<const float> values, FixedFormat format);

  /// sums (N, OH, OW, OC) ← x (N, H, W, IC).
  void forward(const std::int8_t* x, SumSink& sums);
  /// sums (N, H, W, IC) ← dy (N, OH, OW, OC); `memory` is for pieces of them, or for all.
  void data_gradient(const std::int8_t* dy, SumSink& sums, AlignedVector<std::int32_t>& memory);

 private:
  FlatWindow window_;
  AlignedVector<std::int8_t> plain_;
  AlignedVector<std::int8_t> exchanged_;  ///< of the data gradient
  ExactDataGradient gradient_form_;
  IntegerProduct forward_;
  std::optional<IntegerProduct> gradient_;
};

}  // namespace adapt
