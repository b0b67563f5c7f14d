#include "train/summary.hpp"

#include <cstdint>

#include "base/state_bytes.hpp"

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
    LayerCosts& layer = costs_.layers[i];
    layer.rows = {
        {layers[i].step, weights ? weights->word_length : 32, weights ? layers[i].density : 1, !weights}};
    add_rows(layer.sums, layer.rows);
  }
  for (const SwitchEvent& event : switches) {
    LayerCosts& layer = costs_.layers[static_cast<std::size_t>(event.layer)];
    std::int64_t& last = last_switch_[static_cast<std::size_t>(event.layer)];
    layer.switches.push_back({event.before ? event.before->word_length : 32, event.resolution,
                              static_cast<int>(event.step - last), layer.rows.back().density});
    last = event.step;
  }
}

std::vector<std::byte> RunSummary::save_state() const {
  StateWriter writer;
  for (std::size_t i = 0; i < costs_.layers.size(); ++i) {
    const LayerCosts& layer = costs_.layers[i];
    writer.put(layer.sums);
    writer.put(layer.rows.size());
    for (const CostRow& row : layer.rows) {  // field by field: a struct may have padding
      writer.put(row.step);
      writer.put(row.word_length);
      writer.put(row.density);
      writer.put(static_cast<std::uint8_t>(row.is_float32));
    }
    writer.put(layer.switches.size());
    for (const CostSwitch& event : layer.switches) {
      writer.put(event.word_length);
      writer.put(event.resolution);
      writer.put(event.lookback);
      writer.put(event.density);
    }
    writer.put(last_switch_[i]);
  }
  return writer.take();
}

void RunSummary::restore_state(std::span<const std::byte> state) {
  StateReader reader(state);
  for (std::size_t i = 0; i < costs_.layers.size(); ++i) {
    LayerCosts& layer = costs_.layers[i];
    layer.sums = reader.get<StepSums>();
    layer.rows.assign(reader.get<std::size_t>() == 0 ? 0 : 1, {});
    for (CostRow& row : layer.rows) {
      row.step = reader.get<std::int64_t>();
      row.word_length = reader.get<int>();
      row.density = reader.get<double>();
      row.is_float32 = reader.get<std::uint8_t>() != 0;
    }
    layer.switches.clear();
    for (auto left = reader.get<std::size_t>(); left > 0; --left) {
      CostSwitch event;
      event.word_length = reader.get<int>();
      event.resolution = reader.get<int>();
      event.lookback = reader.get<int>();
      event.density = reader.get<double>();
      layer.switches.push_back(event);
    }
    last_switch_[i] = reader.get<std::int64_t>();
  }
  reader.finish();
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
