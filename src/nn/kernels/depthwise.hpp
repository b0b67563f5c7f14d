#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned.hpp"
#include "nn/kernels/byte_product.hpp"
#include "nn/kernels/float_product.hpp"
#include "nn/kernels/grid_product.hpp"
#include "nn/kernels/window_product.hpp"

namespace adapt {

// Of depthwise layers, whose output channels each read the one input channel of their number: a sum is one of
// k · k products, so channels, which lie side by side in memory, are what a register holds. Bytes are summed
// in 32 bits, float32 numbers in doubles, one after the other: products are exact there, and sums, too, of
// numbers on grids of at most 16 bits.

/// Sums over the windows of a depthwise product.
template <class Weight>
class DepthwiseWindows {
 public:
  explicit DepthwiseWindows(const WindowProduct& product);

  /// `weights` are (C, 1, KH, KW).
  void set_weights(std::span<const Weight> weights);

  [[nodiscard]] std::size_t channels() const { return channels_; }
  /// Of all images.
  [[nodiscard]] std::size_t windows() const;
  /// sums (`count`, C) of windows from number `first` on.
  template <class Element, class Sum>
  void sum(const Element* source, std::size_t first, std::size_t count, Sum* sums) const;

 private:
  WindowProduct product_;
  std::size_t channels_;
  AlignedVector<Weight> weights_;  ///< (KH, KW, C)
};

class DepthwiseProduct : public ByteProduct {
 public:
  DepthwiseProduct(const WindowProduct& product, bool is_unsigned);

  void set_weights(std::span<const std::int8_t> weights) override;
  void run(const void* source, SumSink& sums) override;

 private:
  template <class Byte>
  void run_on(const Byte* source, SumSink& sums) const;

  DepthwiseWindows<std::int8_t> windows_;
  bool is_unsigned_;
};

class DepthwiseFloatProduct : public FloatProduct {
 public:
  explicit DepthwiseFloatProduct(const WindowProduct& product);

  void set_weights(std::span<const float> weights) override;
  void run(const float* source, ProductSink<float>& numbers) override;

 private:
  DepthwiseWindows<float> windows_;
  AlignedVector<double> sums_;
};

class DepthwiseGridProduct : public GridProduct {
 public:
  explicit DepthwiseGridProduct(const WindowProduct& product) : product_(product) {}

  void set_weights(std::span<const std::int16_t> weights, float step) override;
  void run(const GridTensor& source, ProductSink<float>& numbers) override;

 private:
  DepthwiseFloatProduct product_;
  AlignedVector<float> weights_;
};

/// The weight gradient of a depthwise layer, exact for any bytes, or float32 numbers on grids of at most 16
/// bits, and any number of pixels; of other numbers, summed in a fixed order.
template <class Element>
class DepthwiseWeightGradient {
 public:
  explicit DepthwiseWeightGradient(const ProductGeometry& geometry);

  /// As WeightGradient::run; numbers on a grid have the step 1 here.
  void run(const Element* x, const Element* dy, float step, float bias_step, float* weights,
           float* bias) const;

 private:
  /// Pairs of pixels of which products are summed.
  struct Pairs {
    std::vector<const Element*> left;
    std::vector<const Element*> right;
  };

  /// Appends the pixels that weight `tap` joins in image `n`.
  void join(const Element* x, const Element* dy, int n, int tap, Pairs& pairs) const;
  /// Adds the products of the pairs to sums (C), and forgets them.
  void add(Pairs& pairs, std::span<double> sums) const;
  /// (KH · KW, C)
  [[nodiscard]] std::vector<double> weight_sums(const Element* x, const Element* dy) const;
  [[nodiscard]] std::vector<double> bias_sums(const Element* dy) const;

  ProductGeometry geometry_;
  WindowProduct product_;
  int taps_;
  std::size_t channels_;
};

}  // namespace adapt
