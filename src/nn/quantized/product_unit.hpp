#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "base/arena.hpp"
#include "nn/kernels/integer_convolution.hpp"
#include "nn/kernels/weight_gradient.hpp"
#include "nn/layer.hpp"
#include "nn/quantized/grid_arithmetic.hpp"
#include "nn/quantized/quantizer.hpp"
#include "nn/quantized/value.hpp"

namespace adapt {

/// Memory that the units of a network share, one after the other.
struct SharedScratch {
  Arena& arena;
  AlignedVector<std::int32_t> sums;  ///< a piece of a product's output, or all of it
  AlignedVector<float> outputs;      ///< the same in float32
  Arena::Block gradient;             ///< of a product's output, in integers
  WeightGradientScratch weight_gradient;
  std::array<AlignedVector<float>, 3> tiles;  ///< what is in the first cache; one for products, the others
                                              ///< for the unit that hands them tiles

  void make_room(std::size_t tile) {
    for (auto& numbers : tiles) {
      numbers.resize(std::max(numbers.size(), tile));
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
  bool source_is_normalized = false;  ///< a normalization unit makes the source, and hands it over in tiles
  bool is_normalized = false;  ///< one is the only reader of the destination: it takes bytes, in backward
                               ///< again, and hands over the gradient in tiles
};

/// A convolution or linear layer with its quantizations. If `integer` allows it, its products are exact.
///  - Where weights, inputs and in training activation gradients have formats of at most 8 bits, all three
///    run on bytes, and so does what leads to them and away from them.
///  - Where they have at most 16 bits, all three run on words, in which inputs and gradients stand, of layers
///    without groups.
///  - Elsewhere tensors are on their grids in float32 (nn/quantized/grid_arithmetic.hpp).
/// The bias is added to the finished sum, in float32.
///
/// Forward: select, quantize_inputs, multiply, which quantizes its outputs piece by piece. Backward:
/// quantize_gradient, backward. While it takes_tiles(), a normalization unit that makes the source hands it
/// over in tiles before quantize_inputs (take_input between begin_input and end_input), and one that makes
/// the gradient of the destination likewise before quantize_gradient.
class ProductUnit {
 public:
  ProductUnit(const ProductParts& parts, bool training, bool integer, SharedScratch& scratch);

  /// Whether the formats of a pass let the forward product run in integers, whatever these are.
  [[nodiscard]] bool runs_integer(const Pass& pass) const;
  /// Chooses the arithmetic of the pass that begins. Where it is not that of the last one, gives up what only
  /// that one needed and returns true.
  bool select(const Pass& pass);
  /// Whether inputs and gradients stand in memory as integers.
  [[nodiscard]] bool takes_tiles() const { return is_bytes_ || is_words_; }

  void begin_input(const Pass& pass);
  void take_input(std::size_t first, std::span<const float> tile);
  void end_input(Pass& pass);

  void quantize_inputs(Pass& pass);
  void multiply(Pass& pass);
  /// The outputs' reader is done with them, in training with backward.
  void drop_outputs() { output_bytes_.reset(); }

  void begin_gradient(const Pass& pass);
  void take_gradient(std::size_t first, std::span<const float> tile);
  void end_gradient(Pass& pass);

  void quantize_gradient(Pass& pass);
  void backward(Pass& pass);

 private:
  [[nodiscard]] float step_of(const Quantizer& quantizer, const Pass& pass) const;
  [[nodiscard]] std::optional<FixedFormat> weight_format(const Pass& pass) const;
  /// Whether weights, inputs and in training gradients of a pass have formats of so many bits, and exact
  /// products.
  [[nodiscard]] bool formats_fit(const Pass& pass, int bits) const;
  /// Whether all products of a pass can run on bytes, and whether on words.
  [[nodiscard]] bool runs_bytes(const Pass& pass) const;
  [[nodiscard]] bool runs_words(const Pass& pass) const;
  void update_weights(const Pass& pass);
  /// A tensor that has been put on its grid.
  [[nodiscard]] static GridArithmetic::Tensor on_grid(const Pass& pass, const Quantizer& quantizer,
                                                      const Value& value);
  /// The same that stands as words.
  [[nodiscard]] static GridArithmetic::Tensor in_words(const Pass& pass, const Quantizer& quantizer,
                                                       const Arena::Block& block);
  /// Counts the work of a product.
  void count(Pass& pass, bool in_integers) const;
  void multiply_bytes(Pass& pass);
  void multiply_floats(Pass& pass);
  /// Whether the outputs are handed on as bytes.
  [[nodiscard]] bool gives_bytes(const Pass& pass) const;
  /// The outputs' quantization, from its start over parts of them to its end.
  void begin_outputs(const Pass& pass);
  void take_outputs(const Pass& pass, std::size_t first, std::span<const float> numbers);
  void end_outputs(Pass& pass);
  /// A tile of integers in `block`.
  void to_integers(Quantizer& quantizer, const Arena::Block& block, std::size_t first,
                   std::span<const float> tile);
  /// Bytes of an integer in memory.
  [[nodiscard]] std::size_t integer_bytes() const { return is_words_ ? 2 : 1; }
  /// Makes `block` hold `bytes` bytes.
  void reserve(Arena::Block& block, std::size_t bytes);
  void add_bias_gradient(std::span<const float> tile);
  void backward_bytes(Pass& pass);
  void backward_floats(Pass& pass);
  /// Room for one tile.
  std::span<float> tile(std::size_t length) { return std::span(scratch_.tiles[0]).first(length); }

  ProductParts parts_;
  bool training_;
  bool integer_;           // where formats allow it
  bool is_bytes_ = false;  // in this pass, as the next
  bool is_words_ = false;
  SharedScratch& scratch_;
  ProductGeometry geometry_;
  WeightGradient weight_gradient_;
  Quantizer inputs_;
  Quantizer outputs_;
  Quantizer gradients_;
  // Made when they are first needed:
  std::optional<IntegerConvolution> convolution_;
  std::optional<GridArithmetic> grid_;
  // Which weights the convolution has:
  std::uint64_t weights_version_ = 0;
  int weights_fractional_length_ = 0;
  // From when they are made to the end of their last reader:
  Arena::Block input_integers_;
  Arena::Block output_bytes_;
  AlignedVector<float> bias_;        // repeated over a period
  AlignedVector<float> bias_lanes_;  // of a tile
  std::vector<double> bias_sums_;    // by channel
};

}  // namespace adapt
