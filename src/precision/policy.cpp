#include "precision/policy.hpp"

#include "base/error.hpp"
#include "base/state_bytes.hpp"
#include "precision/option_checks.hpp"

namespace adapt {

std::vector<std::byte> PrecisionPolicy::save_state() const {
  StateWriter writer;
  writer.put_all(std::span<const std::int64_t>(pack(plan_)));
  return writer.take();
}

void PrecisionPolicy::restore_state(std::span<const std::byte> state) {
  StateReader reader(state);
  const std::size_t numbers = pack(plan_).size();
  const auto packed = reader.get_all<std::int64_t>(numbers, numbers);
  reader.finish();
  unpack(packed, plan_);
}

std::unique_ptr<PrecisionPolicy> make_policy(const PolicyOptions& options,
                                             const std::vector<LayerInfo>& layers) {
  if (const auto conflict = find_conflict(options)) {
    throw BadInput(conflict->message);
  }
  auto policy = entry_of(options.name).make(options, layers);
  policy->plan_.per_tensor = options.formats == FormatScope::per_tensor;
  return policy;
}

LayerFormats formats_of(FixedFormat format, const PolicyOptions& options, const LayerInfo& layer) {
  const QuantizeOptions& quantize = options.quantize;
  LayerFormats formats;
  formats.weights = format;
  if (quantize.inputs) {
    formats.inputs = format;
  }
  if (quantize.outputs) {
    formats.operands = format;
    if (quantize.unnormalized || layer.is_normalized) {
      formats.outputs = format;
    }
  }
  if (quantize.gradients) {
    formats.gradients = format;
  }
  if (options.backward == Backward::quantized) {
    formats.activation_gradients = format;
  }
  return formats;
}

double precision_penalty(const PrecisionPlan& plan, std::span<const double> densities) {
  if (densities.size() != plan.layers.size()) {
    throw Failure(
        concat("precision penalty: ", densities.size(), " densities for ", plan.layers.size(), " layers"));
  }
  if (densities.empty()) {
    return 0;
  }
  constexpr int kFloatBits = 32;
  double sum = 0;
  for (std::size_t i = 0; i < densities.size(); ++i) {
    const auto& weights = plan.layers[i].weights;
    const int bits = weights ? weights->word_length : kFloatBits;
    sum += bits * densities[i] / kFloatBits;
  }
  return sum / static_cast<double>(densities.size());
}

std::vector<PushDownResult> run_push_downs(const StepObservation& observation,
                                           const std::vector<PushDownJob>& jobs) {
  if (observation.push_downs) {
    return observation.push_downs(jobs);
  }
  std::vector<PushDownResult> results;
  results.reserve(jobs.size());
  for (const PushDownJob& job : jobs) {
    results.push_back(push_down(observation.layers.at(static_cast<std::size_t>(job.layer)).weights, job));
  }
  return results;
}

}  // namespace adapt
