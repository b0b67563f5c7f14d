#include "control/controller.hpp"

#include <algorithm>
#include <utility>

#include "base/phase.hpp"
#include "control/working_weights.hpp"
#include "numerics/sum.hpp"

namespace adapt {

Controller::Controller(ControllerOptions options, const std::vector<LayerInfo>& layers,
                       std::shared_ptr<ModelState> state, const mpi::Communicator& ranks,
                       const PolicyMaker& make)
    : options_(std::move(options)),
      state_(std::move(state)),
      ranks_(ranks),
      policy_(make(options_.policy, layers)),
      decided_(policy_->plan()),
      plan_broadcast_(decided_.version, 1) {
  if (decided_.per_tensor) {
    std::vector<std::string> names;
    names.reserve(layers.size());
    for (const LayerInfo& layer : layers) {
      names.push_back(layer.name);
    }
    scales_.emplace(std::move(names));
  }
  plan_ = executable();
  make_weights(0);
}

PrecisionPlan Controller::executable(const std::vector<Extremes>& weights) {
  return scales_ ? scales_->plan(decided_, weights) : decided_;
}

PrecisionPlan Controller::executable() {
  return executable(weight_extremes(*state_, decided_.layers.size()));
}

void Controller::make_weights(std::int64_t step) {
  densities_ = make_working_weights(*state_, plan_, options_.seed, static_cast<std::uint32_t>(step));
}

void Controller::calibrate(
    const std::function<void(const PrecisionPlan& plan, std::vector<LayerMaxima>& maxima)>& run) {
  if (!scales_) {
    return;
  }
  run(plan_, scales_->begin(decided_));
  for (const Parameter& parameter : state_->parameters) {
    observe_gradient(parameter, std::nullopt);
  }
  scales_->adopt();
  plan_ = executable();
}

void Controller::begin(std::int64_t step) {
  plan_broadcast_.check(plan_, step);
  step_ = step;
  if (scales_) {
    scales_->begin(decided_);
  }
}

void Controller::observe_gradient(const Parameter& parameter, std::optional<float> largest) {
  if (scales_ && is_layer_weight(parameter)) {
    raise(scales_->maxima()[static_cast<std::size_t>(parameter.layer)].gradients,
          largest ? *largest : maximum_magnitude(parameter.gradient));
  }
}

void Controller::reduce_maxima() {
  if (scales_) {
    scales_->reduce(step_, ranks_);
  }
}

bool Controller::adjusts_scales() const {
  return scales_ && options_.policy.scales == ScaleChoice::least_error &&
         (step_ - 1) % TensorScales::kAdjustInterval == 0;
}

bool Controller::wants_losses() const { return adjusts_scales() || policy_->wants_activations(); }

void Controller::take_losses(std::span<const PerTensor<LossCounter>> counted) {
  losses_ = counted;
  if (adjusts_scales()) {
    scales_->adjust(counted, ranks_);
  }
}

std::span<const float> Controller::weights_of(int layer) const {
  const auto weight = std::ranges::find_if(state_->parameters, [&](const Parameter& parameter) {
    return parameter.layer == layer && is_layer_weight(parameter);
  });
  return weight->master;
}

StepDecision Controller::decide(const StepReport& report) {
  StepDecision decision;
  plan_broadcast_.update(
      decided_, ranks_, [this](int layer) { return weights_of(layer); },
      [&](const PushDowns& push_downs) { decision = observe(report, push_downs); });
  return decision;
}

StepDecision Controller::observe(const StepReport& report, const PushDowns& push_downs) {
  phase::begin("policy");
  StepDecision decision;
  decision.loss = report.loss;
  if (options_.penalty && has_format(plan_, &LayerFormats::weights)) {
    decision.loss += precision_penalty(plan_, densities_);
  }
  StepObservation observation = {step_,
                                 report.epoch,
                                 decision.loss,
                                 std::vector<LayerObservation>(plan_.layers.size()),
                                 report.ends_epoch,
                                 push_downs};
  for (std::size_t p = 0; p < state_->parameters.size(); ++p) {
    const Parameter& parameter = state_->parameters[p];
    if (is_layer_weight(parameter)) {
      const auto layer = static_cast<std::size_t>(parameter.layer);
      const TakenGradient gradient = report.gradient(p);
      observation.layers[layer] = {parameter.master, gradient.values, gradient.norm, densities_[layer], {}};
      if (!losses_.empty()) {
        observation.layers[layer].activations = {losses_[layer].inputs.values(),
                                                 losses_[layer].outputs.values()};
      }
    }
  }
  for (std::size_t layer = 0; layer < plan_.layers.size(); ++layer) {
    decision.layers.push_back(
        {plan_.layers[layer], policy_->state(static_cast<int>(layer)), densities_[layer]});
  }
  decision.switches = policy_->observe(observation);
  decided_ = policy_->plan();
  decision.strategy = policy_->strategy();  // that of this step's switches
  return decision;
}

void Controller::requantize(std::span<const Extremes> masters, StepDecision& decision) {
  PrecisionPlan next = executable(weight_extremes(*state_, decided_.layers.size(), masters));
  if (scales_) {
    // The policy knows word lengths only.
    for (SwitchEvent& event : decision.switches) {
      const auto layer = static_cast<std::size_t>(event.layer);
      event.before = plan_.layers.at(layer).weights;
      event.after = next.layers.at(layer).weights;
    }
  }
  plan_ = std::move(next);
  make_weights(step_);
}

void Controller::save_state(StateWriter& writer) const {
  writer.put_all(std::span<const std::byte>(policy_->save_state()));
  if (scales_) {
    writer.put_all(std::span<const std::byte>(scales_->save_state()));
  }
}

void Controller::restore_state(StateReader& reader, std::int64_t step) {
  policy_->restore_state(reader.get_all<std::byte>(0, reader.size()));
  if (scales_) {
    scales_->restore_state(reader.get_all<std::byte>(0, reader.size()));
  }
  decided_ = policy_->plan();
  plan_broadcast_ = PlanBroadcast(decided_.version, step + 1);
  step_ = step;
  plan_ = executable();
  make_weights(step);
}

}  // namespace adapt
