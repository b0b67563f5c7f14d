// Core-hours of planned runs, by hand.

#include "experiment/estimate.hpp"

#include <gtest/gtest.h>

#include "experiment/stored_run.hpp"

namespace adapt {
namespace {

IndexEntry planned(const std::string& text) {
  IndexEntry entry;
  entry.configuration = json_values(test::parse(text));
  return entry;
}

IndexEntry finished(const std::string& text, double seconds, double epochs) {
  IndexEntry entry = planned(text);
  entry.state = RunState::done;
  entry.metrics = {{"seconds", seconds}, {"ranks", 2}, {"threads", 3}, {"epochs", epochs}};
  return entry;
}

TEST(Estimate, TakesEpochsOfTheMostSimilarRuns) {
  const std::vector<IndexEntry> all = {
      finished("model: lenet5\nseed: 1\ntraining: {epochs: 2}\n", 1200, 2),
      finished("model: lenet5\nseed: 2\ntraining: {epochs: 2}\n", 2400, 2),
      finished("model: lenet5\nseed: 3\nengine: integer\ntraining: {epochs: 2}\n", 1, 2),
      finished("model: alexnet\nseed: 3\n", 1, 2),
  };
  // 900 s an epoch on 6 cores, for 4 epochs.
  const Estimate found = estimate({planned("model: lenet5\nseed: 9\ntraining: {epochs: 4}\n")}, all);
  EXPECT_DOUBLE_EQ(found.core_hours, 900.0 * 6 * 4 / 3600);
  EXPECT_EQ(found.runs, 1);
  EXPECT_EQ(found.unknown, 0);
}

TEST(Estimate, KnowsNothingOfOtherModelsDataAndSizes) {
  std::vector<IndexEntry> all = {finished("model: lenet5\n", 100, 2)};
  const auto unknown = [&](const std::string& text) { return estimate({planned(text)}, all).unknown; };
  EXPECT_EQ(unknown("model: lenet5\n"), 0);
  EXPECT_EQ(unknown("model: alexnet\n"), 1);
  EXPECT_EQ(unknown("model: lenet5\ndata: {train_samples: 5000}\n"), 1);
  EXPECT_EQ(unknown("model: lenet5\ndata: mnist\n"), 1);
  all[0].state = RunState::resumable;
  EXPECT_EQ(unknown("model: lenet5\n"), 1);
}

}  // namespace
}  // namespace adapt
