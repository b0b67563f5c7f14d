#pragma once

#include <vector>

#include "nn/passes/fusion.hpp"
#include "nn/passes/inference_plan.hpp"

namespace adapt {

/// y = factor · x + addend, by channel.
struct Affine {
  std::vector<double> factor;
  std::vector<double> addend;
};

/// What bias and batch norm of a product's group do to its sums of real numbers.
Affine affine_of(const Graph& graph, const FusedGroup& group, const ModelState& state);

/// What a group's product is in float32: with the batch norm (running statistics) in weights and addends, and
/// the activation function.
FoldedProduct fold_floats(const Graph& graph, const FusedGroup& group, const ModelState& state);

/// Fractional lengths that an integer product joins.
struct ByteScales {
  int weights = 0;
  int source = 0;
  std::optional<int> residual = {};  ///< of the residual's bytes; none where it is float
  std::optional<int> operand =
      {};  ///< of the product's own bytes in a residual sum; none where it stays as it is
  std::optional<int> destination = {};  ///< of the destination's bytes; none where it is float
};

/// The same for bytes: weights as integers, and the batch norm in factors and addends. A channel whose factor
/// is so small that no sum can be seen through it gets zero weights, and a factor that suits its addend.
FoldedProduct fold_bytes(const Graph& graph, const FusedGroup& group, const ModelState& state,
                         const ByteScales& scales);

/// Makes the product of `node` a linear layer where that is a convolution that covers its map.
void flatten_full_map(const GraphNode& node, FoldedProduct& product);

}  // namespace adapt
