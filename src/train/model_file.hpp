#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "nn/graph.hpp"
#include "nn/options.hpp"
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

/// What a training starts from: what `seed` gives, or the numbers of the model that another training, or
/// another program, has left in `options.weights`: masters, working copies and running statistics. Throws
/// BadInput where their names or shapes differ from the model's, naming them, or numbers are not finite.
std::shared_ptr<ModelState> initial_state(const Graph& graph, const ModelOptions& options,
                                          std::uint64_t seed);

}  // namespace adapt
