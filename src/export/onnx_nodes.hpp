#pragma once

#include <string>
#include <vector>

#include "export/network.hpp"
#include "export/onnx_model.hpp"

namespace adapt {

/// The node of ONNX for one of the graph that is no product and no quantization; inputs and output are
/// float32, or bytes where it picks the largest. Throws BadInput for an operation that ONNX has no word for
/// here, naming the layer.
void add_operation(OnnxModel& model, const ExportNetwork& network, const GraphNode& node,
                   const std::vector<std::string>& inputs, const std::string& output);

/// The node of a convolution or linear layer, Conv or Gemm, of `inputs`: activations, weights (O, I), bias.
void add_product(OnnxModel& model, const GraphNode& node, const std::vector<std::string>& inputs,
                 const std::string& output);

/// The name of `input` with as many dimensions as a linear layer takes. `is_matrix`: it has them already.
std::string flattened(OnnxModel& model, const std::string& input, bool is_matrix, const std::string& output);

}  // namespace adapt
