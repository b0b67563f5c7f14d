#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <vector>

#include "base/error.hpp"
#include "base/state_bytes.hpp"
#include "precision/option_checks.hpp"
#include "precision/policy.hpp"
#include "precision/push_up.hpp"
#include "precision/strategy_tracker.hpp"
#include "precision/window.hpp"

namespace adapt {
namespace {

/// AdaPT (arXiv 2107.13490): each layer's format moves by PushDown and PushUp whenever its window of
/// gradients is full.
///
/// Order of one step, where the publication leaves it open:
///  1. The loss is kept; every layer's window takes in its gradient.
///  2. If any window is full (k >= lb), the strategy is updated once, before those layers switch, with
///     lb_avg = the mean lookback before their updates, rounded down. (Updating it every step would let the
///     noise of two successive batches lead from min to max.)
///  3. Each layer with a full window, in the model's order: Δ of the window; lb from Δ; r from the new lb;
///     PushDown of the master weights of this step, from the WL in force and with the new r; PushUp with
///     Δ and the strategy; the window is cleared. So lb and r stay as they are within a window.
///
/// With `formats: per_tensor` the same rules decide WL; FL then only enters through them.
class AdaptPolicy : public PrecisionPolicy {
 public:
  AdaptPolicy(const PolicyOptions& options, const std::vector<LayerInfo>& layers)
      : options_(options.adapt),
        shared_(options),
        tracker_(static_cast<std::size_t>(options.adapt.lookback_upper),
                 options.adapt.strategy.value_or(Strategy::min), !options.adapt.strategy) {
    const FixedFormat start = on_tier({options_.word_length, options_.fractional_length}, options_.tiers);
    for (const LayerInfo& info : layers) {
      if (info.parameters < 1) {
        throw Failure(concat("layer ", info.name, ": has ", info.parameters, " weights, needs at least one"));
      }
      layers_.emplace_back(info, start, options_);
      plan_.layers.push_back(formats_of(start, shared_, info));
    }
  }

  std::vector<SwitchEvent> observe(const StepObservation& observation) override;

  [[nodiscard]] bool wants_activations() const override {
    return options_.watch == Watched::activations &&
           std::ranges::any_of(layers_, [](const Layer& layer) { return layer.fills_window(); });
  }

  [[nodiscard]] LayerState state(int layer) const override {
    return layers_.at(static_cast<std::size_t>(layer)).state;
  }

  [[nodiscard]] bool wants_unit_gradients() const override { return true; }
  [[nodiscard]] std::string strategy() const override { return std::string(name_of(tracker_.strategy())); }

  [[nodiscard]] std::vector<std::byte> save_state() const override;
  void restore_state(std::span<const std::byte> state) override;

 private:
  struct Layer {
    Layer(const LayerInfo& layer_info, FixedFormat start, const AdaptPolicyOptions& options)
        : info(layer_info), format(start), window(static_cast<std::size_t>(layer_info.parameters)) {
      state.lookback = options.lookback_lower;
      state.resolution = options.resolution_lower;
    }

    [[nodiscard]] bool window_full() const { return window.steps() >= state.lookback; }
    /// With the next step.
    [[nodiscard]] bool fills_window() const { return window.steps() + 1 >= state.lookback; }

    LayerInfo info;
    FixedFormat format;
    LayerState state;
    GradientWindow window;
  };

  void check(const StepObservation& observation) const;
  [[nodiscard]] std::size_t mean_lookback() const;
  /// Closes the window of layer `index`; the PushDown that its switch needs.
  PushDownJob end_window(std::size_t index);
  /// Where activations of the layer need a longer word than `minimal`, that of the weights, theirs takes its
  /// place.
  void watch_activations(const PushDownJob& job, const StepObservation& observation,
                         PushDownResult& minimal) const;
  SwitchEvent switch_precision(const PushDownJob& job, const PushDownResult& minimal, std::int64_t step);

  AdaptPolicyOptions options_;
  PolicyOptions shared_;  // by all policies
  std::vector<Layer> layers_;
  StrategyTracker tracker_;
};

std::vector<SwitchEvent> AdaptPolicy::observe(const StepObservation& observation) {
  check(observation);
  tracker_.add(observation.loss);
  bool any_full = false;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const LayerObservation& seen = observation.layers[i];
    layers_[i].window.add(seen.gradient, seen.gradient_norm);
    any_full = any_full || layers_[i].window_full();
  }
  std::vector<SwitchEvent> events;
  if (!any_full) {
    return events;
  }

  tracker_.update(mean_lookback());
  std::vector<PushDownJob> jobs;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    if (layers_[i].window_full()) {
      jobs.push_back(end_window(i));
    }
  }
  std::vector<PushDownResult> minimal = run_push_downs(observation, jobs);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    watch_activations(jobs[i], observation, minimal.at(i));
    events.push_back(switch_precision(jobs[i], minimal.at(i), observation.step));
  }
  ++plan_.version;
  return events;
}

void AdaptPolicy::check(const StepObservation& observation) const {
  if (observation.layers.size() != layers_.size()) {
    throw Failure(concat("step ", observation.step, ": ", observation.layers.size(),
                         " layers observed, the policy has ", layers_.size()));
  }
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const LayerObservation& seen = observation.layers[i];
    const LayerInfo& info = layers_[i].info;
    const auto parameters = static_cast<std::size_t>(info.parameters);
    if (seen.weights.size() != parameters || seen.gradient.size() != parameters) {
      throw Failure(concat("step ", observation.step, ", layer ", info.name, ": ", seen.weights.size(),
                           " weights and ", seen.gradient.size(), " gradients observed, expected ",
                           parameters));
    }
    if (!std::isfinite(seen.gradient_norm)) {
      throw Failure(concat("step ", observation.step, ", layer ", info.name,
                           ": the gradient holds NaN or Inf; a smaller training.learning_rate may help"));
    }
  }
}

std::size_t AdaptPolicy::mean_lookback() const {
  const auto add = [](std::size_t sum, const Layer& layer) {
    return sum + static_cast<std::size_t>(layer.state.lookback);
  };
  return std::accumulate(layers_.begin(), layers_.end(), std::size_t{0}, add) / layers_.size();
}

PushDownJob AdaptPolicy::end_window(std::size_t index) {
  Layer& layer = layers_[index];
  LayerState& state = layer.state;
  state.diversity = layer.window.diversity();
  state.lookback = next_lookback(state.lookback, state.diversity, options_);
  state.resolution = next_resolution(state.resolution, state.lookback, options_);
  layer.window.clear();
  return {static_cast<int>(index),
          layer.format.word_length,
          {state.resolution, options_.epsilon, options_.smoothing}};
}

void AdaptPolicy::watch_activations(const PushDownJob& job, const StepObservation& observation,
                                    PushDownResult& minimal) const {
  if (options_.watch != Watched::activations || !minimal.finite) {
    return;
  }
  for (const std::span<const float> sample :
       observation.layers[static_cast<std::size_t>(job.layer)].activations) {
    if (sample.empty()) {
      continue;
    }
    const PushDownResult own = push_down(sample, job);
    if (own.finite && own.format.word_length > minimal.format.word_length) {
      minimal = own;
    }
  }
}

SwitchEvent AdaptPolicy::switch_precision(const PushDownJob& job, const PushDownResult& minimal,
                                          std::int64_t step) {
  const auto index = static_cast<std::size_t>(job.layer);
  Layer& layer = layers_[index];
  if (!minimal.finite) {
    throw Failure(concat("step ", step, ", layer ", layer.info.name,
                         ": the weights hold NaN or Inf; a smaller training.learning_rate may help"));
  }
  LayerState& state = layer.state;
  state.divergence = minimal.divergence;
  const FixedFormat before = layer.format;
  const auto grow = options_.growth == Growth::word ? push_up_word : push_up;
  layer.format = on_tier(grow(minimal.format, state.diversity, tracker_.strategy(), options_.buffer_bits),
                         options_.tiers);
  plan_.layers[index] = formats_of(layer.format, shared_, layer.info);

  SwitchEvent event;
  event.step = step;
  event.layer = job.layer;
  event.before = before;
  event.after = layer.format;
  event.minimal = minimal.format;
  event.lookback = state.lookback;
  event.resolution = state.resolution;
  event.diversity = state.diversity;
  event.divergence = state.divergence;
  event.strategy = strategy();
  return event;
}

std::vector<std::byte> AdaptPolicy::save_state() const {
  StateWriter writer;
  writer.put(plan_.version);
  writer.put(tracker_.strategy());
  writer.put_all(tracker_.losses());
  for (const Layer& layer : layers_) {
    writer.put(layer.format);
    writer.put(layer.state);
    writer.put(layer.window.steps());
    writer.put(layer.window.norm_sum());
    writer.put_all(layer.window.sum());
  }
  return writer.take();
}

/// Throws BadInput where a window of a saved state is none that these options lead to.
void check_window(const LayerState& state, int steps, const AdaptPolicyOptions& options) {
  const bool possible =
      state.lookback >= options.lookback_lower && state.lookback <= options.lookback_upper &&
      state.resolution >= options.resolution_lower && state.resolution <= options.resolution_upper &&
      steps >= 0 && steps <= options.lookback_upper;
  if (!possible) {
    throw BadInput(concat("saved state: a window of ", steps, " steps, lookback ", state.lookback,
                          ", resolution ", state.resolution,
                          ": the checkpoint belongs to another configuration"));
  }
}

void AdaptPolicy::restore_state(std::span<const std::byte> state) {
  StateReader reader(state);
  plan_.version = reader.get<std::int64_t>();
  const auto strategy = reader.get<Strategy>();
  if (strategy != Strategy::min && strategy != Strategy::mean && strategy != Strategy::max) {
    throw BadInput("saved state: there is no such strategy: the checkpoint is of another policy or version");
  }
  tracker_.restore(reader.get_all<double>(0, static_cast<std::size_t>(options_.lookback_upper)), strategy);
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    Layer& layer = layers_[i];
    layer.format = reader.get<FixedFormat>();
    layer.state = reader.get<LayerState>();
    const auto steps = reader.get<int>();
    check_window(layer.state, steps, options_);
    const auto norm_sum = reader.get<double>();
    const auto parameters = static_cast<std::size_t>(layer.info.parameters);
    layer.window.restore(reader.get_all<float>(parameters, parameters), norm_sum, steps);
    plan_.layers[i] = formats_of(layer.format, shared_, layer.info);
  }
  reader.finish();
  check_formats(plan_);
}

}  // namespace

std::unique_ptr<PrecisionPolicy> make_adapt_policy(const PolicyOptions& options,
                                                   const std::vector<LayerInfo>& layers) {
  check_adapt_options(options.adapt);
  return std::make_unique<AdaptPolicy>(options, layers);
}

}  // namespace adapt
