#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "nn/layer.hpp"
#include "numerics/quantize.hpp"

namespace adapt {

/// Puts one tensor of a quantized layer on its grid, tile by tile, and takes its maximum where the pass
/// asks for it.
class Quantizer {
 public:
  enum class Tensor { inputs, outputs, operands, activation_gradients };

  /// `name` for messages; `layer` is the quantized layer.
  Quantizer(std::string name, Tensor tensor, int layer);

  /// The tensor's format in the pass, if it has one.
  [[nodiscard]] std::optional<FixedFormat> format(const Pass& pass) const;
  /// Whether the format exists and has at most so many bits.
  [[nodiscard]] bool fits(const Pass& pass, int bits) const;

  /// Starts a tensor.
  void begin(const Pass& pass);
  /// to ← from on the grid, a copy without format; the tile begins at element `first`, a multiple of 8. `to`
  /// may be `from`.
  void to_grid(std::size_t first, std::span<const float> from, std::span<float> to);
  /// The same as integers. Only where it fits 8 bits.
  void to_bytes(std::size_t first, const vector::Numbers& from, std::span<std::int8_t> to);
  /// The same where it fits 16 bits.
  void to_words(std::size_t first, std::span<const float> from, std::span<std::int16_t> to);
  /// Of a tensor that has ended, with a format: no integer of it has a larger magnitude.
  [[nodiscard]] double largest_integer() const;
  /// Ends a tensor: raises the pass's maximum. Throws NotFinite, naming the tensor, where it had NaN or Inf.
  void end(Pass& pass);

 private:
  void take(const QuantizeResult& result);
  [[nodiscard]] LossCounter* loss_of(const Pass& pass) const;

  std::string name_;
  Tensor tensor_;
  std::size_t layer_;
  // Of the tensor that runs:
  std::optional<FixedFormat> format_;
  Rounding rounding_ = Rounding::nearest;
  RandomKey key_;
  bool observed_ = false;
  LossCounter* loss_ = nullptr;
  QuantizeResult result_;
};

}  // namespace adapt
