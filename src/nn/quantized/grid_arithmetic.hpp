#pragma once

#include <cstdint>
#include <optional>

#include "nn/kernels/float_convolution.hpp"
#include "nn/kernels/grid_convolution.hpp"
#include "nn/kernels/product_sink.hpp"
#include "nn/kernels/weight_gradient.hpp"
#include "nn/parameters.hpp"
#include "numerics/format.hpp"

namespace adapt {

/// The longest words that products of bytes, and of 16-bit words, take.
inline constexpr int kByteBits = 8;
inline constexpr int kWordBits = 16;

/// Whether the products of numbers on two grids are float32 numbers.
[[nodiscard]] bool steps_multiply(FixedFormat a, FixedFormat b);

/// The products of a layer whose tensors stand in memory as float32, or as words. Where two of them are on
/// grids and their integers, as they are, have at most 16 bits, the sums are exact and rounded once, if that
/// is wanted. Else they are float32 sums in a fixed order, whose bits depend on no processor either.
class GridArithmetic {
 public:
  GridArithmetic(const ProductGeometry& geometry, bool exact);

  /// An activation or gradient; without a format any numbers.
  struct Tensor {
    const float* numbers = nullptr;
    std::optional<FixedFormat> format;
    double largest = 0;                   ///< no integer has a larger magnitude; of a tensor with a format
    const std::int16_t* words = nullptr;  ///< instead of numbers, where all products are exact
  };

  /// y ← x and the weights, which are on the grid of `format`, if there is one. Whether sums are exact; if
  /// not, nothing is done to words.
  bool forward(const Tensor& x, const Parameter& weights, const std::optional<FixedFormat>& format,
               ProductSink<float>& y);

  /// Whether the sums of both products of backward are exact, after forward.
  [[nodiscard]] bool is_exact(const Tensor& gradient) const;
  /// Of x and the weights of the last forward. `bias`, unless null, is written where sums are exact.
  void weight_gradient(const Tensor& gradient, float* weights, float* bias, WeightGradientScratch& scratch);
  void data_gradient(const Tensor& gradient, ProductSink<float>& dx);

 private:
  /// A tensor that products of words take.
  [[nodiscard]] std::optional<GridTensor> words(const Tensor& tensor) const;
  /// Brings the weights to products of words, if they fit.
  bool update_words(const Parameter& weights, FixedFormat format);
  void update_floats();

  /// Which weights a convolution has.
  struct Held {
    std::uint64_t version = 0;
    int fractional_length = 0;
    bool operator==(const Held&) const = default;
  };

  ProductGeometry geometry_;
  bool exact_;
  // Of the last forward:
  const Parameter* weights_ = nullptr;
  std::optional<FixedFormat> weight_format_;
  Tensor x_;
  std::optional<GridTensor> x_words_;  // where its sums were exact
  // Made when they are first needed:
  std::optional<GridConvolution> grid_convolution_;
  std::optional<GridWeightGradient> grid_weight_gradient_;
  std::optional<FloatConvolution> float_convolution_;
  std::optional<FloatWeightGradient> float_weight_gradient_;
  Held words_held_;
  bool weights_are_words_ = false;
  std::uint64_t floats_version_ = 0;
};

}  // namespace adapt
