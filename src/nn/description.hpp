#pragma once

#include <string>
#include <vector>

#include "nn/operation.hpp"

namespace adapt {

/// One node of a model: an operation and where its inputs come from.
struct LayerNode {
  std::string name;  ///< readable and unique, "stage2.block1.conv1"
  OperationPtr operation;
  std::vector<int> inputs;   ///< values: 0 is the image, i + 1 the output of node i
  bool is_optional = false;  ///< hands its input on where its operation takes no such input
  std::string place;         ///< "FILE:LINE"
};

/// A model, declared: nodes in an order in which they can be run. The last node's output is the logits (N,
/// classes).
struct ModelDescription {
  std::string name;
  Shape image;  ///< that it is usually trained on, N = 1
  std::vector<LayerNode> nodes;
};

}  // namespace adapt
