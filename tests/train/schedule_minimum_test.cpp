// training.schedule.minimum: where the learning rate stops falling.

#include <gtest/gtest.h>

#include "train/schedule.hpp"

namespace adapt {
namespace {

ScheduleOptions with_minimum(ScheduleKind name, double minimum) {
  ScheduleOptions options;
  options.name = name;
  options.minimum = minimum;
  return options;
}

TEST(ScheduleMinimum, CosineEndsThere) {
  const auto schedule = make_schedule(with_minimum(ScheduleKind::cosine, 0.2), 8);
  EXPECT_EQ(schedule->factor(0), 1);
  EXPECT_DOUBLE_EQ(schedule->factor(4), 0.6);  // halfway between 1 and 0.2
  EXPECT_DOUBLE_EQ(schedule->factor(8), 0.2);
  EXPECT_DOUBLE_EQ(schedule->factor(9), 0.2);
}

TEST(ScheduleMinimum, LinesEndThere) {
  const auto schedule = make_schedule(with_minimum(ScheduleKind::linear, 0.5), 4);
  EXPECT_EQ(schedule->factor(0), 1);
  EXPECT_EQ(schedule->factor(2), 0.75);
  EXPECT_EQ(schedule->factor(4), 0.5);
  EXPECT_EQ(schedule->factor(5), 0.5);
}

TEST(ScheduleMinimum, StepsStopThere) {
  ScheduleOptions options = with_minimum(ScheduleKind::multi_step, 0.05);
  options.milestones = {1, 2, 3};
  const auto schedule = make_schedule(options, 4);
  EXPECT_EQ(schedule->factor(0), 1);
  EXPECT_EQ(schedule->factor(1), 0.1);
  EXPECT_EQ(schedule->factor(2), 0.05) << "not 0.01";
  EXPECT_EQ(schedule->factor(3), 0.05);
}

TEST(ScheduleMinimum, PlateausStopThere) {
  ScheduleOptions options = with_minimum(ScheduleKind::reduce_on_plateau, 0.05);
  options.patience = 0;
  const auto schedule = make_schedule(options, 10);
  schedule->end_epoch(1);
  EXPECT_EQ(schedule->factor(1), 1);
  for (const double expected : {0.1, 0.05, 0.05}) {
    schedule->end_epoch(1);
    EXPECT_EQ(schedule->factor(2), expected);
  }
}

TEST(ScheduleMinimum, WarmUpStillStartsAtZero) {
  ScheduleOptions options = with_minimum(ScheduleKind::cosine, 0.5);
  options.warmup_epochs = 2;
  const auto schedule = make_schedule(options, 8);
  EXPECT_EQ(schedule->factor(0), 0);
  EXPECT_EQ(schedule->factor(1), 0.5 * make_schedule(with_minimum(ScheduleKind::cosine, 0.5), 8)->factor(1));
  EXPECT_DOUBLE_EQ(schedule->factor(8), 0.5);
}

}  // namespace
}  // namespace adapt
