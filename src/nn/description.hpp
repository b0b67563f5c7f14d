#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace adapt {

/// Convolution of (N, C, H, W) with square kernels: `channels` outputs, zero padding on all sides.
struct ConvolutionSpec {
  int channels = 0;
  int kernel = 1;
  int stride = 1;
  int padding = 0;
  bool bias = true;
};

/// Fully connected layer (N, C·H·W) → (N, outputs). Features are taken in memory order (height, width,
/// channel).
struct LinearSpec {
  int outputs = 0;
  bool bias = true;
};

/// Batch normalization over (N, H, W) per channel (Ioffe and Szegedy 2015), with scale and shift.
struct BatchNormSpec {
  double epsilon = 1e-5;
  double momentum = 0.1;  ///< running ← (1 - momentum) · running + momentum · batch
};

enum class Activation { relu, tanh };
enum class Pooling { maximum, average };

/// Element-wise activation.
struct ActivationSpec {
  Activation kind = Activation::relu;
};

/// Pooling over square windows without padding; what fills no whole window at the border is left out.
struct PoolingSpec {
  Pooling kind = Pooling::maximum;
  int kernel = 2;
  int stride = 2;
};

/// Sum of the two inputs (residual connection).
struct AddSpec {};

/// Which activation of a layer a quantization node is for: what enters the layer, what leaves it, or what
/// goes on from it to a residual sum.
enum class QuantizePlace { inputs, outputs, operand };

/// Quantization of an activation to the format of a layer: only the emulated engine has it, descriptions
/// never do.
struct QuantizeSpec {
  QuantizePlace place = QuantizePlace::inputs;
};

using LayerSpec = std::variant<ConvolutionSpec, LinearSpec, BatchNormSpec, ActivationSpec, PoolingSpec,
                               AddSpec, QuantizeSpec>;

/// One node of a model: a layer and where its inputs come from.
struct LayerNode {
  std::string name;  ///< readable and unique, "stage2.block1.conv1"
  LayerSpec spec;
  std::vector<int> inputs;  ///< values: 0 is the image, i + 1 the output of node i
};

/// A model, declared: nodes in an order in which they can be run. The last node's output is the logits (N,
/// classes).
struct ModelDescription {
  std::string name;
  std::vector<LayerNode> nodes;
};

/// Writes a description down, layer after layer; each call takes the current value as input and makes its
/// output the current one.
class ModelBuilder {
 public:
  explicit ModelBuilder(std::string name) { model_.name = std::move(name); }

  ModelBuilder& convolution(const std::string& name, const ConvolutionSpec& spec);
  ModelBuilder& linear(const std::string& name, int outputs);
  ModelBuilder& batch_norm(const std::string& name);
  ModelBuilder& relu();
  ModelBuilder& tanh();
  ModelBuilder& max_pool(int kernel);
  ModelBuilder& average_pool(int kernel);
  /// Adds `other` to the current value.
  ModelBuilder& add(const std::string& name, int other);

  /// The current value, to come back to.
  [[nodiscard]] int value() const { return current_; }
  /// Goes on from `value`.
  ModelBuilder& from(int value);

  [[nodiscard]] ModelDescription build() const { return model_; }

 private:
  ModelBuilder& append(const std::string& name, const LayerSpec& spec, std::vector<int> inputs);
  /// A name for a layer without parameters: `kind` and a running number.
  std::string numbered(const std::string& kind) const;

  ModelDescription model_;
  int current_ = 0;
};

}  // namespace adapt
