#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "record/run_log.hpp"

namespace adapt {

/// The initializers of an ONNX model that are float32 or float64, under their names; weights of a Gemm as (O,
/// I), however the model keeps them. 64-bit integers, which shapes are, are left out. `source` names the file
/// in messages. Throws BadInput for what is no model, for other types, for numbers in a file beside it, and
/// where a size is not that of the dimensions.
std::vector<ModelTensor> read_onnx_weights(std::span<const std::byte> bytes, const std::string& source);

}  // namespace adapt
