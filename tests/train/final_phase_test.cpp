// Schedules that count from the start of the policy's final phase.

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "train/schedule.hpp"

namespace adapt {
namespace {

ScheduleOptions options_of(ScheduleKind name) {
  ScheduleOptions options;
  options.name = name;
  options.origin = ScheduleOrigin::final_phase;
  return options;
}

TEST(FinalPhase, CountsFromItsStart) {
  ScheduleOptions options = options_of(ScheduleKind::multi_step);
  options.milestones = {15, 30};
  const auto schedule = make_schedule(options, 45);
  EXPECT_EQ(schedule->factor(40), 1.0) << "not begun";
  schedule->set_final_phase(-1);
  EXPECT_EQ(schedule->factor(40), 1.0);
  schedule->set_final_phase(54);
  EXPECT_EQ(schedule->factor(53.9), 1.0);
  EXPECT_EQ(schedule->factor(68.9), 1.0);
  EXPECT_DOUBLE_EQ(schedule->factor(69), 0.1);
  EXPECT_DOUBLE_EQ(schedule->factor(84), 0.01);
}

TEST(FinalPhase, IsTheLengthOfACosine) {
  const auto schedule = make_schedule(options_of(ScheduleKind::cosine), 10);
  schedule->set_final_phase(20);
  EXPECT_EQ(schedule->factor(20), 1.0);
  EXPECT_DOUBLE_EQ(schedule->factor(25), 0.5);
}

TEST(FinalPhase, LossesBeforeDoNotCount) {
  ScheduleOptions options = options_of(ScheduleKind::reduce_on_plateau);
  options.patience = 0;
  const auto schedule = make_schedule(options, 10);
  schedule->end_epoch(1.0);
  schedule->end_epoch(1.0);
  schedule->set_final_phase(2);
  EXPECT_EQ(schedule->factor(2), 1.0);
  schedule->end_epoch(2.0);
  EXPECT_EQ(schedule->factor(3), 1.0) << "the first of the phase";
  schedule->end_epoch(2.0);
  EXPECT_DOUBLE_EQ(schedule->factor(4), 0.1);
}

TEST(FinalPhase, WarmupIsOfTheRun) {
  ScheduleOptions options = options_of(ScheduleKind::multi_step);
  options.milestones = {1};
  options.warmup_epochs = 2;
  const auto schedule = make_schedule(options, 10);
  schedule->set_final_phase(5);
  EXPECT_DOUBLE_EQ(schedule->factor(1), 0.5);
  EXPECT_DOUBLE_EQ(schedule->factor(6), 0.1);
}

TEST(FinalPhase, WithoutItNothingChanges) {
  ScheduleOptions options = options_of(ScheduleKind::multi_step);
  options.origin = ScheduleOrigin::run;
  options.milestones = {3};
  const auto schedule = make_schedule(options, 10);
  schedule->set_final_phase(5);
  EXPECT_DOUBLE_EQ(schedule->factor(4), 0.1);
}

}  // namespace
}  // namespace adapt
