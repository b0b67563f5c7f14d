#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "nn/parameters.hpp"
#include "numerics/plan.hpp"
#include "numerics/scale.hpp"

namespace adapt {

/// Whether it is the weight tensor of a quantized layer: what a policy observes, and what has a scale.
[[nodiscard]] inline bool is_layer_weight(const Parameter& parameter) {
  return parameter.role == ParameterRole::weight && parameter.layer >= 0;
}

/// The format of a parameter's working copy under `plan`, if it has one.
std::optional<FixedFormat> working_format(const Parameter& parameter, const PrecisionPlan& plan);

/// Extremes of the master weights of each of `layers` quantized layers; the second, from those of all
/// parameters' masters.
std::vector<Extremes> weight_extremes(const ModelState& state, std::size_t layers);
std::vector<Extremes> weight_extremes(const ModelState& state, std::size_t layers,
                                      std::span<const Extremes> parameters);

/// Makes the working copies of all parameters from their masters: rounded stochastically to the formats of
/// the plan (a bias, scale or shift takes the format of its layer's weights; float32 in a per_tensor plan),
/// plain copies where the plan has none. Every rank makes the same. Returns, by quantized layer, the share of
/// weights that are not zero. Throws Failure for NaN or Inf, naming the parameter.
std::vector<double> make_working_weights(ModelState& state, const PrecisionPlan& plan, std::uint64_t seed,
                                         std::uint32_t step);

}  // namespace adapt
