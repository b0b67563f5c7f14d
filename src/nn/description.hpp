#pragma once

#include <string>
#include <utility>
#include <vector>

#include "nn/ops/registry.hpp"

namespace adapt {

/// One node of a model: an operation and where its inputs come from.
struct LayerNode {
  std::string name;  ///< readable and unique, "stage2.block1.conv1"
  OperationPtr operation;
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

  ModelBuilder& convolution(const std::string& name, const ops::ConvolutionOptions& options);
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
  ModelBuilder& append(const std::string& name, OperationPtr operation, std::vector<int> inputs);
  /// A name for a layer without parameters: `kind` and a running number.
  std::string numbered(const std::string& kind) const;

  ModelDescription model_;
  int current_ = 0;
};

}  // namespace adapt
