#pragma once

#include "nn/description.hpp"
#include "nn/graph.hpp"

namespace adapt {

/// Lowers a description to a graph for images of `image`. With `quantized`, a quantization node stands before
/// and behind each convolution and linear layer, and before an operand of a sum that is on no grid
/// (algorithm.md "AdaPT", forward). Throws BadInput where shapes do not fit, with the place, the layer and
/// the shapes.
Graph lower(const ModelDescription& model, const Shape& image, bool quantized);

}  // namespace adapt
