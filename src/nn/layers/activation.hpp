#pragma once

#include <memory>

#include "nn/layer.hpp"

namespace adapt {

/// ReLU or tanh, element by element, any shape. Backward computes from the output, so forward may work in
/// place.
std::unique_ptr<Layer> make_activation(Activation kind, const LayerParts& parts);

}  // namespace adapt
