#pragma once

#include <memory>

#include "nn/layer.hpp"

namespace adapt {

/// Puts an activation on the grid of a layer's inputs', outputs' or operands' format; a copy where the plan
/// has no format. Backward is straight-through, except that a quantization of outputs puts the gradient that
/// flows back into its layer on the grid of the activation gradients' format, always stochastically, where
/// the plan has one. Takes the maxima that the pass asks for on the way. Throws Failure where what it
/// quantizes is NaN or infinite, naming the layer.
std::unique_ptr<Layer> make_quantization(const GraphNode& node, const LayerMemory& memory);

}  // namespace adapt
