#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/aligned.hpp"
#include "nn/kernels/byte_product.hpp"
#include "nn/kernels/exact_data_gradient.hpp"
#include "nn/kernels/flat_window.hpp"
#include "nn/kernels/library_product.hpp"
#include "nn/kernels/window_product.hpp"
#include "numerics/format.hpp"

namespace adapt {

/// A product of bytes with 32-bit sums, exact while they stay below 2^31: by our own products, or by oneDNN
/// where that is exact, too, and faster: the first runs try both in turn, and what will not be used again is
/// given up. Since both are exact, nobody else needs to know which one it is, nor do ranks have to agree on
/// it.
class IntegerProduct {
 public:
  enum class Maker { own, library };

  explicit IntegerProduct(const WindowProduct& product);

  /// `weights` are (O, I / groups, KH, KW).
  void set_weights(std::span<const std::int8_t> weights);
  void run(const std::int8_t* source, SumSink& sums);

  /// Who multiplies with the present weights in the next run.
  [[nodiscard]] Maker maker() const;
  /// Whether oneDNN is exact with the present weights.
  [[nodiscard]] bool may_be_library() const { return may_be_library_; }

 private:
  static constexpr int kTrials = 4;  // of each; the first ones find cold caches

  /// Whether each sum is exact in the library whatever the operands are, and with these weights whatever the
  /// source is.
  [[nodiscard]] bool is_always_exact() const;
  [[nodiscard]] bool stays_exact(std::span<const std::int8_t> weights) const;
  void finish_trials();

  WindowProduct product_;
  std::unique_ptr<ByteProduct> own_;       ///< null: not needed any more
  std::optional<LibraryProduct> library_;  ///< where it gives right sums, and is needed
  bool may_be_library_ = false;
  int trials_ = 0;
  std::array<double, 2> seconds_;  ///< by maker: of the fastest run
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
