#pragma once

#include <memory>

#include "nn/layer.hpp"

namespace adapt {

/// Maximum or average over square windows: (N, C, H, W) → (N, C, OH, OW), OH = floor((H - kernel) / stride)
/// + 1.
std::unique_ptr<Layer> make_pooling(const PoolingTerms& terms, const LayerParts& parts);

}  // namespace adapt
