#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "nn/kernels/window_product.hpp"
#include "nn/shape.hpp"

namespace adapt {

class Layer;
struct LayerMemory;
struct Parameter;
struct RunningStatistics;

/// More than any network has, and so few that no sum of them overflows.
inline constexpr int kMostChannels = 1 << 24;
inline constexpr int kLargestKernel = 1 << 15;
inline constexpr int kLargestStride = 1 << 24;

/// What a parameter tensor is to its operation.
enum class ParameterRole { weight, bias, scale, shift };

/// A parameter tensor, before it is made.
struct ParameterShape {
  ParameterRole role = ParameterRole::weight;
  const char* suffix = "";  ///< of its name, ".weight"
  std::vector<std::int64_t> dims;

  [[nodiscard]] std::int64_t elements() const;
};

/// What the backward pass of an operation needs, and does.
struct BackwardNeeds {
  bool input;        ///< reads what forward read
  bool output;       ///< reads what forward wrote
  bool is_identity;  ///< hands the gradient on unchanged, to each input
};

/// A product of activations with a weight tensor: what the precision plan quantizes.
struct ProductTerms {
  std::optional<Window> window;  ///< of a convolution; none: over the flattened input, in memory order
  bool bias = true;
  int groups = 1;  ///< of channels, each of which reads its own only
};

/// What such a product looks like: a linear layer's maps are of one pixel, with its features as channels.
ProductGeometry geometry_of(const ProductTerms& terms, const Shape& input, const Shape& output);

/// Normalization per channel with scale and shift, by statistics of the batch.
struct NormalizationTerms {
  double epsilon = 1e-5;
  double momentum = 0.1;  ///< running <- (1 - momentum) * running + momentum * batch
};

enum class Activation { relu, tanh };
enum class Pooling { maximum, average };

struct PoolingTerms {
  Pooling kind = Pooling::maximum;
  Window window;
};

/// Which activation of a layer a quantization is for: what enters the layer, what leaves it, or what goes on
/// from it to a residual sum.
enum class QuantizePlace { inputs, outputs, operand };

/// What a layer is made of.
struct LayerParts {
  Shape input;
  Shape output;
  const LayerMemory& memory;
  std::span<Parameter> parameters;  ///< those of Operation::parameters(), in their order
  RunningStatistics* statistics;    ///< of a normalization; else null
  bool training;
  std::size_t node = 0;  ///< of the graph
};

/// A kind of operation with its settings: all that the passes of nn/ ask of it. Each kind is one file in
/// nn/ops/ and one line in nn/ops/registry.hpp. There are no default answers: a kind that does not say what
/// it is to a pass does not compile.
class Operation {
 public:
  virtual ~Operation() = default;
  Operation() = default;
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;

  /// "convolution".
  [[nodiscard]] virtual std::string_view kind() const = 0;
  /// What it makes of an input. Throws BadInput, in words without its name, where it takes no such input.
  [[nodiscard]] virtual Shape output(const Shape& input) const = 0;
  /// Its parameter tensors, a product's weight first.
  [[nodiscard]] virtual std::vector<ParameterShape> parameters(const Shape& input) const = 0;
  [[nodiscard]] virtual BackwardNeeds backward() const = 0;
  /// Forward may write over its first input, and backward its gradient over that of the output.
  [[nodiscard]] virtual bool works_in_place() const = 0;
  /// Whether numbers on a fixed-point grid stay on it.
  [[nodiscard]] virtual bool keeps_grid() const = 0;

  // What it is to passes that fold, fuse or quantize; none of these is a layer like any other.
  [[nodiscard]] virtual std::optional<ProductTerms> product() const = 0;
  [[nodiscard]] virtual std::optional<NormalizationTerms> normalization() const = 0;
  [[nodiscard]] virtual std::optional<Activation> activation() const = 0;
  [[nodiscard]] virtual std::optional<PoolingTerms> pooling(const Shape& input) const = 0;
  [[nodiscard]] virtual bool is_sum() const = 0;
  [[nodiscard]] virtual std::optional<QuantizePlace> quantization() const = 0;
  /// Whether it hands its input on as it is, but in training.
  [[nodiscard]] virtual bool rests_at_inference() const = 0;

  /// Whether its layer computes on memory of bfloat16, too. If not, engine bfloat16 refuses it by name.
  [[nodiscard]] virtual bool has_bfloat16() const = 0;
  /// Compiles it, in float32 or, where the memory says so, bfloat16. At inference there are no gradients.
  [[nodiscard]] virtual std::unique_ptr<Layer> make_layer(const LayerParts& parts) const = 0;
};

using OperationPtr = std::shared_ptr<const Operation>;

}  // namespace adapt
