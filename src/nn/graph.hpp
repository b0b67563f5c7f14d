#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nn/description.hpp"

namespace adapt {

/// A layer whose parameters the precision plan quantizes: a convolution or a linear layer.
struct QuantizedLayer {
  std::string name;
  std::int64_t parameters = 0;  ///< weights, bias excluded
  std::int64_t madds = 0;       ///< multiply-adds of one sample, forward
  bool reads_image = false;     ///< its input is the image
  bool reads_average = false;   ///< its input comes straight from an average pool
  bool is_normalized = false;   ///< a batch norm, and nobody else, reads its outputs
};

/// A node with everything that follows from where it stands.
struct GraphNode {
  std::string name;
  OperationPtr operation;
  std::vector<int> inputs;  ///< values: 0 is the image, i + 1 the output of node i
  Shape input;              ///< of the first input
  Shape output;
  std::string place;  ///< "FILE:LINE", for messages
  int layer = -1;  ///< quantized layer it belongs to, -1: none. A batch norm belongs to the layer before it.
  bool input_gradient = false;  ///< backward must produce the gradient of its inputs

  [[nodiscard]] const Operation& op() const { return *operation; }
  [[nodiscard]] std::vector<ParameterShape> parameters() const { return operation->parameters(input); }
  [[nodiscard]] std::optional<PoolingTerms> pooling() const { return operation->pooling(input); }
};

/// A model for a given batch and image, shapes checked.
struct Graph {
  Shape image;
  std::vector<GraphNode> nodes;
  std::vector<QuantizedLayer> layers;

  /// By value: the nodes that read it, in their order, one of them twice where it does so twice.
  std::vector<std::vector<std::size_t>> readers;

  [[nodiscard]] const Shape& shape(int value) const;
  /// Whether it was lowered with quantizations.
  [[nodiscard]] bool is_quantized() const;
  /// The nodes that read what `node` makes.
  [[nodiscard]] const std::vector<std::size_t>& readers_of(std::size_t node) const {
    return readers[node + 1];
  }
};

/// Throws BadInput unless the graph of `model` ends with a number for each of `classes` classes, and has
/// weights to train.
void check_classifies(const Graph& graph, const std::string& model, int classes);

}  // namespace adapt
