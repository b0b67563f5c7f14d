#include "train/summary.hpp"

#include <algorithm>

namespace adapt {

RunSummary::RunSummary(const std::vector<LoggedLayer>& layers, int images_per_step, bool quantized_backward) {
  costs_.quantized_backward = quantized_backward;
  costs_.images_per_step = images_per_step;
  last_switch_.assign(layers.size(), 0);
  for (const LoggedLayer& layer : layers) {
    costs_.layers.push_back({layer.name, layer.madds, layer.parameters, {}, {}});
  }
}

void RunSummary::add(std::span<const LayerRecord> layers, std::span<const SwitchEvent> switches) {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto& weights = layers[i].formats.weights;
    costs_.layers[i].rows.push_back(
        {layers[i].step, weights ? weights->word_length : 32, weights ? layers[i].density : 1, !weights});
  }
  for (const SwitchEvent& event : switches) {
    LayerCosts& layer = costs_.layers[static_cast<std::size_t>(event.layer)];
    std::int64_t& last = last_switch_[static_cast<std::size_t>(event.layer)];
    layer.switches.push_back({event.before ? event.before->word_length : 32, event.resolution,
                              static_cast<int>(event.step - last), layer.rows.back().density});
    last = event.step;
  }
}

std::map<std::string, double> RunSummary::finish(std::span<const EpochRecord> epochs) const {
  const ModelledCosts costs = model_costs(costs_);
  std::map<std::string, double> figures = {
      {"modelled_training_speedup", costs.training_speedup},
      {"modelled_inference_speedup", costs.inference_speedup},
      {"modelled_model_size", costs.model_size},
      {"modelled_training_memory", costs.training_memory},
      {"modelled_overhead_share", costs.overhead_share},
      {"mean_word_length", costs.mean_word_length},
      {"final_word_length", costs.final_word_length},
  };
  double weights = 0;
  double nonzero = 0;
  for (const LayerCosts& layer : costs_.layers) {
    weights += static_cast<double>(layer.parameters);
    nonzero += static_cast<double>(layer.parameters) * layer.rows.back().density;
  }
  figures["final_density"] = nonzero / weights;
  for (const EpochRecord& epoch : epochs) {
    figures["measured_training_seconds"] += epoch.seconds;
    figures["measured_test_seconds"] += epoch.test_seconds;
    if (figures.count("best_epoch") == 0 || epoch.test_accuracy > figures["best_test_accuracy"]) {
      figures["best_test_accuracy"] = epoch.test_accuracy;
      figures["best_epoch"] = static_cast<double>(epoch.epoch);
    }
    figures["final_test_accuracy"] = epoch.test_accuracy;
  }
  return figures;
}

}  // namespace adapt
