#pragma once

#include <vector>

#include "nn/parameters.hpp"
#include "numerics/plan.hpp"
#include "record/run_log.hpp"

namespace adapt {

/// What run.h5 keeps of a model: parameters with a format as integers, others (and running statistics) as
/// float32 numbers.
std::vector<ModelTensor> store_model(const ModelState& state, const PrecisionPlan& plan);

/// The way back: fills masters, working copies and running statistics of `state` and returns the plan that
/// the model was stored under (formats of weights and activations, for `layers` layers). Throws BadInput
/// where names or sizes differ from the model's, or numbers are not finite.
PrecisionPlan load_model(const std::vector<ModelTensor>& tensors, ModelState& state, std::size_t layers);

}  // namespace adapt
