#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "nn/kernels/operands.hpp"
#include "nn/kernels/product_sink.hpp"
#include "nn/kernels/window_product.hpp"

namespace adapt {

/// A product of two tensors on grids, whose integers have at most 16 bits: each sum is exact, and rounded to
/// float32 once.
class GridProduct {
 public:
  /// Integers that fit.
  static constexpr std::int32_t kLowest = -(1 << 15);
  static constexpr std::int32_t kHighest = (1 << 15) - 1;
  /// Sums of fewer products, of 2^30 at most, are below 2^53, where doubles are exact.
  static constexpr std::int64_t kMostTerms = std::int64_t{1} << 23U;
  /// Whether the product's sums are exact, whatever the integers are.
  static bool fits(const WindowProduct& product) {
    return static_cast<std::int64_t>(product.terms()) < kMostTerms;
  }

  virtual ~GridProduct() = default;
  GridProduct() = default;
  GridProduct(const GridProduct&) = delete;
  GridProduct& operator=(const GridProduct&) = delete;

  /// `weights` are (O, I / groups, KH, KW), their numbers integer · step.
  virtual void set_weights(std::span<const std::int16_t> weights, float step) = 0;
  /// numbers (N, H, W, O) ← source (N, h, w, I).
  virtual void run(const GridTensor& source, ProductSink<float>& numbers) = 0;
};

/// The fastest one for the shape.
std::unique_ptr<GridProduct> make_grid_product(const WindowProduct& product);

}  // namespace adapt
