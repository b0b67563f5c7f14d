#pragma once

#include <memory>

#include "nn/layer.hpp"

namespace adapt {

/// Sum of two tensors of the same shape (residual connection, He et al. 2016); the gradient goes to both
/// unchanged.
std::unique_ptr<Layer> make_addition(const LayerMemory& memory);

}  // namespace adapt
