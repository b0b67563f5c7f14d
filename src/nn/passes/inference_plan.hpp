#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/aligned.hpp"
#include "nn/graph.hpp"
#include "nn/kernels/window_product.hpp"
#include "nn/parameters.hpp"
#include "numerics/plan.hpp"

namespace adapt {

/// What a value is kept in between layers. A byte holds an integer q that stands for q · 2^-FL.
enum class NumberType { float32, bfloat16, signed_byte, unsigned_byte };

[[nodiscard]] bool is_byte(NumberType type);
[[nodiscard]] std::int64_t bytes_of(NumberType type);

/// An activation on its way through the network, channels last.
struct InferenceValue {
  Shape shape;
  NumberType type = NumberType::float32;
  int fractional_length = 0;  ///< of bytes
};

/// A convolution or linear layer with all that is folded into it: its bias, the batch norm, the residual sum
/// and the activation function behind it.
///
/// destination = round(output_factor · activation(o(factor[c] · (Σ + addend[c])) + residual_factor ·
/// residual)), computed in float32 from the integer sum Σ of bytes, each operation rounded by itself, then
/// rounded to nearest (ties to even) and clamped to the range of the destination's type. Σ itself is exact in
/// 32 bits and then a float32, so that from 2^24 on it is rounded, too, by less than 2^-23 of Σ |x · w|. Its
/// addend is a whole number, as the 32-bit bias of other programs is. The residual is taken as it is stored,
/// and o makes the product's own number a signed byte of operand_step each, as training does, and as other
/// programs do, whose kernels end there. Float products have their factors in the weights and are not
/// rounded.
struct FoldedProduct {
  bool integer = false;
  ProductGeometry geometry;      ///< 1×1 maps for linear layers and flattened convolutions
  AlignedVector<float> weights;  ///< (OC, IC / groups, KH, KW); integers of a byte where `integer`
  std::vector<float> factors;    ///< (OC), none zero; empty unless `integer`
  std::vector<float> addends;    ///< (OC); whole numbers where `integer`
  float residual_factor = 1;
  std::optional<float> operand_step;  ///< a power of two; none: o leaves the number as it is
  std::optional<Activation> activation;
  float output_factor = 1;
};

/// One step of an inference.
struct InferenceStep {
  enum class Kind {
    convert,  ///< to another type, or a copy
    product,
    pool,
    layer,  ///< any other layer of the graph, in float32
  };
  Kind kind = Kind::product;
  std::string name;
  std::size_t node = 0;  ///< of the graph: the product, the pooling, the layer
  std::vector<int> sources;
  int destination = 0;
  int residual = -1;  ///< of a product: the value that is added; its memory becomes the destination's
  /// Of a product that gives bytes to a sum with the residual: their fractional length.
  std::optional<int> operand_length = {};
  FoldedProduct product = {};
};

/// What is computed at inference, and in which numbers. Value 0 is the images, float32; the last step's
/// destination the logits, float32.
struct InferencePlan {
  std::vector<InferenceValue> values;
  std::vector<InferenceStep> steps;

  /// Products that run in integers, and all.
  [[nodiscard]] int integer_products() const;
  [[nodiscard]] int products() const;
};

/// What becomes of convolutions each of whose windows covers the whole map: linear layers, which run faster,
/// or what the graph says they are.
enum class FullMaps { flattened, kept };

/// Plans the inference of a graph without quantizations (nn/graph.hpp) with the working weights and running
/// statistics of `state`.
///
/// `floats` is what numbers that are no bytes are kept in (float32 or bfloat16). With `formats`, a product
/// whose weights and inputs have formats of at most 8 bits runs in integers. A value that only such products,
/// sums and poolings read stands in bytes: on the grid of its readers' inputs (of several, the one with the
/// fewest fractional bits), or, where it is a sum or an operand of one and no product reads it, on that of
/// its layer's operand. What is rectified is kept unsigned, so that the byte reaches twice as far as the
/// format. Outputs before a batch norm, which training quantizes too, are never stored.
InferencePlan plan_inference(const Graph& graph, const ModelState& state, NumberType floats,
                             const PrecisionPlan* formats, FullMaps full_maps = FullMaps::flattened);

}  // namespace adapt
