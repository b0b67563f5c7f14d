#pragma once

#include <memory>

#include "nn/layer.hpp"

namespace adapt {

/// Whether every window of the convolution covers the whole map, as 3x3 windows with padding 1 do on a map of
/// 2x2, and its dense form is at most twice as large as its weights.
bool is_covering(const GraphNode& node);

/// A convolution with `is_covering(node)`: each output reads each input, so it is a linear layer over the
/// flattened map (H, W, IC) → (OH, OW, OC) whose matrix repeats the weights. As a matrix product it runs at
/// several times the speed of a convolution, which spends its time on windows that are mostly padding. Shapes
/// and meaning are those of make_convolution; only the order of the sums differs.
std::unique_ptr<Layer> make_covering_convolution(const GraphNode& node, const LayerMemory& memory,
                                                 Parameter& weight, Parameter* bias, bool training);

}  // namespace adapt
