#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nn/description.hpp"

namespace adapt {

/// Shape of an activation (N, C, H, W); in memory channels come last.
struct Shape {
  int n = 0;
  int c = 0;
  int h = 0;
  int w = 0;

  [[nodiscard]] std::int64_t elements() const { return std::int64_t{n} * c * h * w; }
  bool operator==(const Shape&) const = default;
};

/// A layer whose parameters the precision plan quantizes: a convolution or a linear layer.
struct QuantizedLayer {
  std::string name;
  std::int64_t parameters = 0;  ///< weights, bias excluded
  std::int64_t madds = 0;       ///< multiply-adds of one sample, forward
  bool reads_image = false;     ///< its input is the image
  bool reads_average = false;   ///< its input comes straight from an average pool
};

/// A node with everything that follows from where it stands.
struct GraphNode {
  std::string name;
  LayerSpec spec;
  std::vector<int> inputs;  ///< values: 0 is the image, i + 1 the output of node i
  Shape input;              ///< of the first input
  Shape output;
  int layer = -1;  ///< quantized layer it belongs to, -1: none. A batch norm belongs to the layer before it.
  bool input_gradient = false;  ///< backward must produce the gradient of its inputs
};

/// A model for a given batch and image, shapes checked.
struct Graph {
  Shape image;
  std::vector<GraphNode> nodes;
  std::vector<QuantizedLayer> layers;

  [[nodiscard]] const Shape& shape(int value) const;
  /// How many nodes read a value.
  [[nodiscard]] int readers(int value) const;
};

/// Lowers a description to a graph for images of `image`. With `quantized`, a quantization node stands before
/// and behind each convolution and linear layer, and before an operand of a sum that is on no grid
/// (algorithm.md "AdaPT", forward). Throws BadInput where shapes do not fit, naming the layer and the shapes.
Graph lower(const ModelDescription& model, const Shape& image, bool quantized);

/// What the kinds of layers need to keep for backward, and whether they may work in place.
bool backward_reads_input(const LayerSpec& spec);
bool backward_reads_output(const LayerSpec& spec);
bool works_in_place(const LayerSpec& spec);
/// Backward never changes the gradient. (A quantization of outputs may: it quantizes what flows back.)
bool backward_is_identity(const LayerSpec& spec);

}  // namespace adapt
