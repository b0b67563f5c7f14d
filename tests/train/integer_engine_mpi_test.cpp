// The integer engine means what the emulated one does: the same bits, wherever float32 sums are exact.

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "base/error.hpp"
#include "bench/synthetic.hpp"
#include "mpi/communicator.hpp"
#include "nn/onednn.hpp"
#include "train/engine.hpp"
#include "train/step.hpp"

namespace adapt {
namespace {

const mpi::Communicator kRanks;

TrainerOptions options_for(const std::string& model) {
  TrainerOptions options;
  options.model.name = model;
  options.training.batch = 16;
  options.training.shards = 4;
  options.training.learning_rate = 0.02;
  options.training.normalize = "no";
  options.precision.name = "fixed";
  options.precision.fixed.word_length = 8;
  options.precision.formats = "per_tensor";
  options.precision.backward = "quantized";
  return options;
}

/// What training left: everything that could differ.
struct Trained {
  std::vector<double> losses;
  std::vector<AlignedVector<float>> masters;
  std::vector<AlignedVector<float>> statistics;
  PrecisionPlan plan;

  bool operator==(const Trained&) const = default;
};

Trained train(const TrainerOptions& options, const DataSplits& data, int steps) {
  TrainingStep step(options, data, kRanks);
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
  return trained;
}

class IntegerEngine : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!onednn::has_exact_bytes()) {
      GTEST_SKIP() << "8-bit products are not exact here";
    }
  }
};

void expect_same(TrainerOptions options, int steps) {
  const DataSplits data = synthetic_images(options.model.name, 64);
  options.engine.name = "emulated";
  const Trained emulated = train(options, data, steps);
  options.engine.name = "integer";
  const Trained integer = train(options, data, steps);
  EXPECT_EQ(integer.losses, emulated.losses);
  EXPECT_EQ(integer.plan, emulated.plan);
  EXPECT_TRUE(integer == emulated);
}

TEST_P(IntegerEngine, TrainsToTheSameBitsAsTheEmulatedOne) { expect_same(options_for(GetParam()), 4); }

INSTANTIATE_TEST_SUITE_P(Models, IntegerEngine, testing::Values("lenet5", "alexnet", "resnet20"));

}  // namespace
}  // namespace adapt
