#pragma once

#include <memory>

#include "nn/layer.hpp"

namespace adapt {

/// Puts an activation on the grid of a layer's inputs' or outputs' format; a copy where the plan has no
/// format. Backward is straight-through: the gradient goes on unchanged. Throws Failure where the activation
/// is NaN or infinite, naming the layer.
std::unique_ptr<Layer> make_quantization(const GraphNode& node, const LayerMemory& memory);

}  // namespace adapt
