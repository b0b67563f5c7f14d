#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "base/arena.hpp"
#include "nn/layer.hpp"
#include "nn/quantized/integer_convolution.hpp"
#include "nn/quantized/quantizer.hpp"
#include "nn/quantized/value.hpp"
#include "nn/quantized/weight_gradient.hpp"

namespace adapt {

/// Memory that the units of a network share, one after the other.
struct SharedScratch {
  Arena& arena;
  Arena::Block sums;      ///< of a product's output, 32 bits each
  Arena::Block gradient;  ///< of a product's output, in bytes
  WeightGradientScratch weight_gradient;
  std::array<AlignedVector<float>, 4> strips;  ///< what is in the first cache; one for products, the others
                                               ///< for the unit that hands them strips

  void make_room(std::size_t strip) {
    for (auto& numbers : strips) {
      numbers.resize(std::max(numbers.size(), strip));
    }
  }
};

/// What a product unit is made of: a convolution or linear layer between its two quantizations.
struct ProductParts {
  const GraphNode* inputs = nullptr;  ///< the quantization before it
  const GraphNode* product = nullptr;
  const GraphNode* outputs = nullptr;  ///< the quantization behind it
  Parameter* weight = nullptr;
  Parameter* bias = nullptr;            ///< or null
  Value* source = nullptr;              ///< what enters the quantization before
  Value* quantized = nullptr;           ///< what enters the product
  Value* raw = nullptr;                 ///< what leaves the product
  Value* destination = nullptr;         ///< what leaves the quantization behind
  Value* quantized_gradient = nullptr;  ///< as the product hands it back; null: not wanted
  Value* raw_gradient = nullptr;        ///< null at inference, as the next one
  Value* destination_gradient = nullptr;
};

/// A convolution or linear layer with its quantizations. Where weights, inputs and in training activation
/// gradients have formats of at most 8 bits it runs in integers as a whole (if `integer` allows it), else
/// emulated: on the grid in float32. Both mean the same. The bias is added to
/// the finished sum, in float32.
///
/// Forward: quantize_inputs, multiply, quantize_outputs. Backward: quantize_gradient, backward. Whoever makes
/// the source may hand it over in strips instead (take_input between begin_input and end_input, if
/// wants_input), and whoever makes the gradient of the destination likewise.
class ProductUnit {
 public:
  /// `keeps_bytes`: the reader of the destination takes bytes, and again in backward.
  ProductUnit(const ProductParts& parts, bool training, bool integer, bool keeps_bytes,
              SharedScratch& scratch);

  /// Before a forward pass: where its arithmetic is not that of the last one, gives up what only that one
  /// needed and returns true.
  bool change_arithmetic(const Pass& pass);

  /// Whether the product of a pass, in training all three, is an integer one.
  [[nodiscard]] bool runs_integer(const Pass& pass) const;

  [[nodiscard]] bool wants_input(const Pass& pass) const { return runs_integer(pass); }
  void begin_input(const Pass& pass);
  void take_input(std::size_t first, std::span<const float> strip);
  void end_input(Pass& pass);

  void quantize_inputs(Pass& pass);
  void multiply(Pass& pass);
  void quantize_outputs(Pass& pass);
  /// The outputs' reader is done with them, in training with backward.
  void drop_outputs() { output_bytes_.reset(); }

  [[nodiscard]] bool wants_gradient(const Pass& pass) const { return runs_integer(pass); }
  void begin_gradient(const Pass& pass);
  void take_gradient(std::size_t first, std::span<const float> strip);
  void end_gradient(Pass& pass);

  void quantize_gradient(Pass& pass);
  void backward(Pass& pass);

 private:
  [[nodiscard]] float step_of(const Quantizer& quantizer, const Pass& pass) const;
  [[nodiscard]] FixedFormat weight_format(const Pass& pass) const;
  void update_weights(const Pass& pass);
  Layer& emulated();
  /// Makes `block` hold `bytes` bytes.
  void reserve(Arena::Block& block, std::size_t bytes);
  void add_bias_gradient(std::span<const float> strip);
  void backward_integer(Pass& pass);
  /// Room for one strip.
  std::span<float> strip(std::size_t length) { return std::span(scratch_.strips[0]).first(length); }

  ProductParts parts_;
  bool training_;
  bool integer_;
  bool keeps_bytes_;
  SharedScratch& scratch_;
  ProductGeometry geometry_;
  WeightGradient weight_gradient_;
  Quantizer inputs_;
  Quantizer outputs_;
  Quantizer gradients_;
  std::optional<IntegerConvolution> convolution_;  // made when it is first needed, as is
  std::unique_ptr<Layer> emulated_;
  std::uint64_t weights_version_ = 0;
  int weights_fractional_length_ = 0;
  Arena::Block input_bytes_;  // as the next, from when they are made to the end of their last reader
  Arena::Block output_bytes_;
  bool input_taken_ = false;
  bool gradient_taken_ = false;
  AlignedVector<float> bias_;        // repeated over a period
  AlignedVector<float> bias_lanes_;  // of a strip
  std::vector<double> bias_sums_;    // by channel
};

}  // namespace adapt
