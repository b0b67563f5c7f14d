#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned.hpp"
#include "nn/kernels/byte_product.hpp"
#include "nn/kernels/window_product.hpp"

namespace adapt {

/// Of a depthwise layer, whose output channels each read the one input channel of their number: a sum is one
/// of k · k products, so channels, which lie side by side in memory, are what a register holds.
class DepthwiseProduct : public ByteProduct {
 public:
  DepthwiseProduct(const WindowProduct& product, bool is_unsigned);

  void set_weights(std::span<const std::int8_t> weights) override;
  void run(const void* source, SumSink& sums) override;

 private:
  template <class Byte>
  void run_on(const Byte* source, SumSink& sums) const;
  /// The sums of a window.
  template <class Byte>
  void sum_window(const Byte* image, int place, std::vector<const Byte*>& pixels,
                  std::vector<const std::int8_t*>& weights, std::int32_t* sums) const;

  WindowProduct product_;
  bool is_unsigned_;
  std::size_t channels_;
  AlignedVector<std::int8_t> weights_;  ///< (KH, KW, C)
};

/// The weight gradient of a depthwise layer in 8-bit arithmetic, exact for any bytes and any number of
/// pixels.
class DepthwiseWeightGradient {
 public:
  explicit DepthwiseWeightGradient(const ProductGeometry& geometry);

  /// As WeightGradient::run.
  void run(const std::int8_t* x, const std::int8_t* dy, float step, float bias_step, float* weights,
           float* bias) const;

 private:
  /// Pairs of pixels of which products are summed.
  struct Pairs {
    std::vector<const std::int8_t*> left;
    std::vector<const std::int8_t*> right;
  };

  /// Appends the pixels that weight `tap` joins in image `n`.
  void join(const std::int8_t* x, const std::int8_t* dy, int n, int tap, Pairs& pairs) const;
  /// Adds the products of the pairs to sums (C), and forgets them.
  void add(Pairs& pairs, std::span<std::int64_t> sums) const;
  /// (KH · KW, C)
  [[nodiscard]] std::vector<std::int64_t> weight_sums(const std::int8_t* x, const std::int8_t* dy) const;
  [[nodiscard]] std::vector<std::int64_t> bias_sums(const std::int8_t* dy) const;

  ProductGeometry geometry_;
  WindowProduct product_;
  int taps_;
  std::size_t channels_;
};

}  // namespace adapt
