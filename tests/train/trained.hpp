#pragma once

#include <vector>

#include "support/world.hpp"
#include "train/step.hpp"

namespace adapt::test {

/// What training left: everything that could differ.
struct Trained {
  std::vector<double> losses;
  std::vector<AlignedVector<float>> masters;
  std::vector<AlignedVector<float>> statistics;
  PrecisionPlan plan;
  int integer_layers = 0;

  bool operator==(const Trained&) const = default;
};

inline Trained train(const TrainerOptions& options, const DataSplits& data, int steps) {
  TrainingStep step(options, data, world());
  Trained trained;
  for (int i = 0; i < steps; ++i) {
    trained.losses.push_back(step.run(options.training.learning_rate).record.cross_entropy);
  }
  for (const Parameter& parameter : step.state()->parameters) {
    trained.masters.push_back(parameter.master);
  }
  for (const RunningStatistics& statistics : step.state()->statistics) {
    trained.statistics.push_back(statistics.running_mean);
    trained.statistics.push_back(statistics.running_variance);
  }
  trained.plan = step.plan();
  trained.integer_layers = step.integer_layers();
  return trained;
}

}  // namespace adapt::test
