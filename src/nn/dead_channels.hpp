#pragma once

#include <cstddef>
#include <vector>

#include "nn/parameters.hpp"

namespace adapt {

/// By quantized layer, of `layers`: the share of its output channels that are dead, that is, none of a
/// channel's master weights, or its scale in the batch norm behind the layer, comes up to 1/256 of the
/// largest of the layer: beside that one, 8 bits have nothing left for it. A layer without any weight that is
/// not zero is dead altogether.
std::vector<double> dead_channels(const ModelState& state, std::size_t layers);

}  // namespace adapt
