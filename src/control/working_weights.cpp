#include "control/working_weights.hpp"

#include <cmath>

#include "base/error.hpp"
#include "numerics/quantize.hpp"
#include "numerics/sum.hpp"

namespace adapt {
namespace {

[[noreturn]] void refuse(const Parameter& parameter, std::uint32_t step) {
  throw Failure(concat("parameter '", parameter.name, "' is NaN or infinite at step ", step,
                       "; a smaller training.learning_rate may help"),
                Cause::numbers);
}

/// Returns how many values are not zero.
std::int64_t make_working(Parameter& parameter, const std::optional<FixedFormat>& format,
                          const RandomKey& key) {
  if (!format) {
    if (!std::isfinite(maximum_magnitude(parameter.master))) {
      refuse(parameter, key.step);
    }
    use_master(parameter);
    return count_nonzero(parameter.working);
  }
  const QuantizeResult result =
      quantize(parameter.master, parameter.working, *format, Rounding::stochastic, key);
  if (!result.finite) {
    refuse(parameter, key.step);
  }
  ++parameter.version;
  return result.nonzero;
}

}  // namespace

std::optional<FixedFormat> working_format(const Parameter& parameter, const PrecisionPlan& plan) {
  if (parameter.layer < 0 || (plan.per_tensor && parameter.role != ParameterRole::weight)) {
    return std::nullopt;
  }
  return plan.layers.at(static_cast<std::size_t>(parameter.layer)).weights;
}

std::vector<Extremes> weight_extremes(const ModelState& state, std::size_t layers) {
  std::vector<Extremes> parameters;
  for (const Parameter& parameter : state.parameters) {
    parameters.push_back(extremes(parameter.master));
  }
  return weight_extremes(state, layers, parameters);
}

std::vector<Extremes> weight_extremes(const ModelState& state, std::size_t layers,
                                      std::span<const Extremes> parameters) {
  std::vector<Extremes> all(layers);
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    const Parameter& parameter = state.parameters.at(p);
    if (is_layer_weight(parameter)) {
      all.at(static_cast<std::size_t>(parameter.layer)) = parameters[p];
    }
  }
  return all;
}

std::vector<double> make_working_weights(ModelState& state, const PrecisionPlan& plan, std::uint64_t seed,
                                         std::uint32_t step) {
  std::vector<double> densities(plan.layers.size(), 1);
  for (std::size_t p = 0; p < state.parameters.size(); ++p) {
    Parameter& parameter = state.parameters[p];
    const auto layer = static_cast<std::size_t>(parameter.layer);
    const RandomKey key = {
        .seed = seed, .stream = Stream::weights, .tensor = static_cast<std::uint32_t>(p), .step = step};
    const std::int64_t nonzero = make_working(parameter, working_format(parameter, plan), key);
    if (is_layer_weight(parameter)) {
      densities[layer] = static_cast<double>(nonzero) / static_cast<double>(parameter.size());
    }
  }
  return densities;
}

}  // namespace adapt
