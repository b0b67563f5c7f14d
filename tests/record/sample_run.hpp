#pragma once

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "record/run_log.hpp"

namespace adapt::test {

/// A small run whose every value follows from its place, so that a test can tell what it must read.

inline std::vector<LoggedLayer> sample_layers() {
  // Not in alphabetical order: the model's order must survive.
  return {{"stage1.conv", 1000, 150}, {"conv0", 117600, 2400}, {"fc", 840, 84}};
}

inline std::map<std::string, std::string> sample_provenance() {
  return {{"command_line", "adapt train x.yaml"}, {"ranks", "2"}, {"note", ""}};
}

inline StepRecord sample_step(std::int64_t step) {
  StepRecord record;
  record.step = step;
  record.loss = 2.5 / static_cast<double>(step) + 1e-9;
  record.cross_entropy = 2.25 / static_cast<double>(step);
  record.learning_rate = 0.1;
  record.seconds = {0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5};
  record.exposed_seconds = 0.25;
  record.bytes_sent = (std::int64_t{1} << 40) + step;
  record.messages_sent = (std::int64_t{1} << 33) + step;
  record.strategy = step % 2 == 0 ? "mean" : "min";
  record.integer_share = 0.75;
  return record;
}

inline EpochRecord sample_epoch(std::int64_t epoch) {
  return {epoch, 1.0 / 3.0, 0.9, std::numeric_limits<double>::quiet_NaN(), 0.1 * static_cast<double>(epoch),
          12.5,  0.75};
}

/// Layer 2 stays float32; the gradients of layer 0 stay float32.
inline LayerRecord sample_layer_row(int layer, std::int64_t step) {
  LayerRecord record;
  record.step = step;
  if (layer != 2) {
    record.formats.weights = FixedFormat{8 + layer, 4 - 9 * layer};
    record.formats.inputs = FixedFormat{9, 40};
    record.formats.outputs = FixedFormat{32, 3};
  }
  if (layer == 1) {
    record.formats.gradients = FixedFormat{16, 20};
  }
  record.state = {25 + layer, 50 + layer, step == 1 ? 0.0 : std::numeric_limits<double>::infinity(), 0.125};
  record.density = 1.0 - 0.25 * layer;
  record.dead_channels = 0.125 * layer;
  record.losses.inputs = {.zeroed = 0.5, .saturated = 0.0625, .divergence = 0.75};
  record.losses.activation_gradients.divergence = 0.25 * layer;
  return record;
}

inline SwitchEvent sample_switch(std::int64_t step, int layer) {
  SwitchEvent event;
  event.step = step;
  event.layer = layer;
  event.before = FixedFormat{8, 4};
  event.after = std::nullopt;
  event.minimal = FixedFormat{6, -3};
  event.lookback = 31;
  event.resolution = 75;
  event.diversity = 1.75;
  event.divergence = 1e-4;
  event.strategy = "max";
  return event;
}

/// One tensor of each integer type, one float32, one scalar.
inline std::vector<ModelTensor> sample_model() {
  return {{"stage1.conv.weight", {2, 1, 3}, FixedFormat{8, 7}, {-128, -1, 0, 1, 2, 127}, {}},
          {"conv0.weight", {2, 2}, FixedFormat{9, 12}, {-256, 255, 0, 1}, {}},
          {"fc.weight", {3}, FixedFormat{17, -2}, {-65536, 65535, 7}, {}},
          {"fc.bias", {2}, std::nullopt, {}, {0.1F, -0.0F}},
          {"scale", {}, std::nullopt, {}, {1.5F}}};
}

constexpr std::int64_t kSampleSteps = 12;
constexpr std::int64_t kSampleEpochs = 2;

inline void append_sample_rows(RunLog& log, std::int64_t first_step, std::int64_t last_step) {
  for (std::int64_t step = first_step; step <= last_step; ++step) {
    log.append(sample_step(step));
    for (int layer = 0; layer < 3; ++layer) {
      log.append(layer, sample_layer_row(layer, step));
    }
    if (step % 5 == 0) {
      log.append(sample_switch(step, 1));
    }
  }
}

/// 12 steps of 3 layers, 2 epochs, 2 switches, model, summary, DONE.
inline void write_sample_run(const std::filesystem::path& run_dir) {
  RunLog log(run_dir, "training:\n  seed: 1\n", sample_provenance(), sample_layers());
  append_sample_rows(log, 1, kSampleSteps);
  for (std::int64_t epoch = 1; epoch <= kSampleEpochs; ++epoch) {
    log.append(sample_epoch(epoch));
  }
  log.write_model(sample_model());
  log.write_summary({{"modelled_speedup", 1.27}, {"final_accuracy", 0.2}});
  log.finish();
}

}  // namespace adapt::test
