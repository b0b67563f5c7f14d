#pragma once

#include <cstdint>
#include <vector>

#include "nn/parameters.hpp"
#include "numerics/plan.hpp"

namespace adapt {

/// Makes the working copies of all parameters from their masters: rounded stochastically to the formats of
/// the plan (a bias, scale or shift takes the format of its layer's weights), plain copies where the plan has
/// none. Every rank makes the same. Returns, by quantized layer, the share of weights that are not zero.
/// Throws Failure for NaN or Inf, naming the parameter.
std::vector<double> make_working_weights(ModelState& state, const PrecisionPlan& plan, std::uint64_t seed,
                                         std::uint32_t step);

}  // namespace adapt
