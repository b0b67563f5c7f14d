#pragma once

#include <string>
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

/// Makes `state`, of `layers` layers, start from the numbers of a model that another training, or another
/// program, made: masters, working copies and running statistics. `source` is for messages. Throws BadInput
/// where names or shapes differ from the model's, naming them, or numbers are not finite.
void start_from(const std::vector<ModelTensor>& tensors, const std::string& source, ModelState& state,
                std::size_t layers);

}  // namespace adapt
