#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/state_bytes.hpp"
#include "numerics/functions.hpp"
#include "precision/gradient_blocks.hpp"
#include "precision/option_checks.hpp"
#include "precision/policy.hpp"

namespace adapt {
namespace {

/// MuPPET (Rajagopal, Vink, Venieris, Bouganis, ICML 2020): one word length for the whole network, from level
/// to level up and at last to float32, whenever the gradients of successive epochs have lost diversity twice.
///
/// Quantized are the image, the output of each convolution, linear layer and average pool, the gradients that
/// flow back into convolutions and linear layers, each weight tensor and its gradient, each with its own
/// scale; batch norm, activation functions, maximum pooling, residual sums, biases, loss, momentum and the
/// master copy are float32.
///
/// Differences from the publication:
///  - A scale other than a weight tensor's comes from a running maximum and not from the tensor itself (see
///    TensorScales), and takes the same bound for both signs.
///  - An average pool's output is quantized where the next layer reads it, which is the same numbers as long
///  as
///    that layer follows at once; the gradient that flows back through the pool is not.
///  - Gradients are the optimizer's: L1 and weight decay, which belong to the loss, included; the diversity
///    takes the weight tensors' only.
///  - The epoch in the threshold is the run's, counted from 1; a new level starts with no gradients kept.
class MuppetPolicy : public PrecisionPolicy {
 public:
  MuppetPolicy(const PolicyOptions& options, const std::vector<LayerInfo>& layers)
      : options_(options.muppet), shared_(options), layers_(layers), gradients_(options.muppet.resolution) {
    set_formats();
  }

  std::vector<SwitchEvent> observe(const StepObservation& observation) override;

  [[nodiscard]] LayerState state(int /*layer*/) const override { return {.diversity = diversity_}; }

  [[nodiscard]] std::vector<std::byte> save_state() const override;
  void restore_state(std::span<const std::byte> state) override;

 private:
  [[nodiscard]] bool in_float32() const { return level_ == options_.levels.size(); }
  void set_formats();
  void take(double diversity, std::int64_t epoch);
  std::vector<SwitchEvent> next_level(const StepObservation& observation);

  MuppetPolicyOptions options_;
  PolicyOptions shared_;  // by all policies
  std::vector<LayerInfo> layers_;
  GradientBlocks gradients_;
  std::size_t level_ = 0;  // into the levels; their number: float32
  double diversity_ = 0;   // newest Δ, 0 before the first
  double largest_ = 0;     // M, since the last switch
  int violations_ = 0;     // since the last switch
};

void MuppetPolicy::set_formats() {
  plan_.layers.assign(layers_.size(), {});
  if (in_float32()) {
    return;
  }
  // Scales are the tensors' own: FL means nothing here.
  const FixedFormat format{options_.levels[level_], 0};
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    plan_.layers[i] = formats_of(format, shared_, layers_[i]);
    plan_.layers[i].operands.reset();
    if (!layers_[i].reads_image && !layers_[i].reads_average) {
      plan_.layers[i].inputs.reset();
    }
  }
}

std::vector<SwitchEvent> MuppetPolicy::observe(const StepObservation& observation) {
  if (!observation.ends_epoch || in_float32()) {
    return {};
  }
  gradients_.add(observation);
  if (!gradients_.full()) {
    return {};
  }
  take(gradients_.diversity(), observation.epoch);
  if (options_.window == DiversityWindow::block) {
    gradients_.clear();
  }
  return violations_ < options_.violations ? std::vector<SwitchEvent>() : next_level(observation);
}

void MuppetPolicy::take(double diversity, std::int64_t epoch) {
  diversity_ = diversity;
  if (diversity >= largest_) {
    largest_ = diversity;
    return;
  }
  const double bound =
      options_.threshold + options_.slack * exp(-options_.decay * static_cast<double>(epoch));
  if (largest_ / diversity > bound) {
    ++violations_;
  }
}

std::vector<SwitchEvent> MuppetPolicy::next_level(const StepObservation& observation) {
  const PrecisionPlan before = plan_;
  ++level_;
  largest_ = 0;
  violations_ = 0;
  gradients_.clear();
  set_formats();
  ++plan_.version;
  if (in_float32()) {
    plan_.final_phase = observation.epoch;
  }
  std::vector<SwitchEvent> events;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    SwitchEvent event;
    event.step = observation.step;
    event.layer = static_cast<int>(i);
    event.before = before.layers[i].weights;
    event.after = plan_.layers[i].weights;
    event.diversity = diversity_;
    events.push_back(event);
  }
  return events;
}

std::vector<std::byte> MuppetPolicy::save_state() const {
  StateWriter writer;
  writer.put(plan_.version);
  writer.put(plan_.final_phase);
  writer.put(level_);
  writer.put(diversity_);
  writer.put(largest_);
  writer.put(violations_);
  writer.put(gradients_.kept().size());
  for (const auto& epoch : gradients_.kept()) {
    for (const std::vector<float>& gradient : epoch) {
      writer.put_all(std::span(gradient));
    }
  }
  return writer.take();
}

void MuppetPolicy::restore_state(std::span<const std::byte> state) {
  StateReader reader(state);
  plan_.version = reader.get<std::int64_t>();
  plan_.final_phase = reader.get<std::int64_t>();
  level_ = reader.get<std::size_t>();
  diversity_ = reader.get<double>();
  largest_ = reader.get<double>();
  violations_ = reader.get<int>();
  const auto epochs = reader.get<std::size_t>();
  if (level_ > options_.levels.size() || epochs > static_cast<std::size_t>(options_.resolution)) {
    throw BadInput(concat("policy state: level ", level_, " and ", epochs, " epochs, expected at most ",
                          options_.levels.size(), " and ", options_.resolution,
                          ": the checkpoint belongs to another configuration"));
  }
  std::vector<std::vector<std::vector<float>>> kept(epochs);
  for (auto& epoch : kept) {
    for (const LayerInfo& layer : layers_) {
      const auto parameters = static_cast<std::size_t>(layer.parameters);
      epoch.push_back(reader.get_all<float>(parameters, parameters));
    }
  }
  reader.finish();
  gradients_.restore(std::move(kept));
  set_formats();
}

}  // namespace

std::unique_ptr<PrecisionPolicy> make_muppet_policy(const PolicyOptions& options,
                                                    const std::vector<LayerInfo>& layers) {
  check_muppet_options(options.muppet);
  return std::make_unique<MuppetPolicy>(options, layers);
}

}  // namespace adapt
