#include "train/schedule.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "base/error.hpp"

namespace adapt {
namespace {

ScheduleOptions named(ScheduleKind name) {
  ScheduleOptions options;
  options.name = name;
  return options;
}

ScheduleOptions plateau(double factor, int patience, double threshold) {
  ScheduleOptions options = named(ScheduleKind::reduce_on_plateau);
  options.factor = factor;
  options.patience = patience;
  options.threshold = threshold;
  return options;
}

ScheduleOptions multi_step(const std::vector<int>& milestones, double factor) {
  ScheduleOptions options = named(ScheduleKind::multi_step);
  options.milestones = milestones;
  options.factor = factor;
  return options;
}

TEST(Schedule, ConstantStays) {
  const auto schedule = make_schedule({}, 10);
  EXPECT_EQ(schedule->factor(0), 1);
  EXPECT_EQ(schedule->factor(9.5), 1);
}

TEST(Schedule, CosineFallsFromOneToZero) {
  const auto schedule = make_schedule(named(ScheduleKind::cosine), 6);
  EXPECT_EQ(schedule->factor(0), 1);
  EXPECT_DOUBLE_EQ(schedule->factor(2), 0.75);  // (1 + cos 60°) / 2
  EXPECT_DOUBLE_EQ(schedule->factor(3), 0.5);
  EXPECT_DOUBLE_EQ(schedule->factor(4), 0.25);
  EXPECT_EQ(schedule->factor(6), 0);
  EXPECT_EQ(schedule->factor(7), 0);
}

TEST(Schedule, LinearFallsFromOneToZero) {
  const auto schedule = make_schedule(named(ScheduleKind::linear), 8);
  EXPECT_EQ(schedule->factor(0), 1);
  EXPECT_EQ(schedule->factor(2), 0.75);
  EXPECT_EQ(schedule->factor(7), 0.125);
  EXPECT_EQ(schedule->factor(8), 0);
  EXPECT_EQ(schedule->factor(9), 0);
}

TEST(Schedule, MultiStepChangesAfterTheMilestones) {
  const auto schedule = make_schedule(multi_step({2, 5}, 0.5), 10);
  EXPECT_EQ(schedule->factor(0), 1);
  EXPECT_EQ(schedule->factor(1.99), 1);
  EXPECT_EQ(schedule->factor(2), 0.5);
  EXPECT_EQ(schedule->factor(4.99), 0.5);
  EXPECT_EQ(schedule->factor(5), 0.25);
  EXPECT_EQ(schedule->factor(9), 0.25);
}

TEST(Schedule, WarmUpIsARampInFrontOfTheSchedule) {
  ScheduleOptions options = multi_step({1}, 0.5);
  options.warmup_epochs = 2;
  const auto schedule = make_schedule(options, 4);
  EXPECT_EQ(schedule->factor(0), 0);
  EXPECT_EQ(schedule->factor(0.5), 0.25);
  EXPECT_EQ(schedule->factor(1), 0.25);  // half of the ramp, past the milestone
  EXPECT_EQ(schedule->factor(2), 0.5);
  EXPECT_EQ(schedule->factor(3), 0.5);
}

TEST(Schedule, PlateauWaitsForMoreThanPatience) {
  const auto schedule = make_schedule(plateau(0.5, 2, 0.1), 100);
  schedule->end_epoch(10);
  schedule->end_epoch(9.5);  // better, but not by a tenth: epoch without improvement 1
  schedule->end_epoch(9.0);  // equal to the bound does not count: 2
  EXPECT_EQ(schedule->factor(3), 1);
  schedule->end_epoch(9.9);  // 3
  EXPECT_EQ(schedule->factor(4), 0.5);
  schedule->end_epoch(9.5);  // counting began anew: 1
  schedule->end_epoch(9.5);  // 2
  schedule->end_epoch(8.9);  // improved
  EXPECT_EQ(schedule->factor(7), 0.5);
  for (int epoch = 0; epoch < 3; ++epoch) {
    schedule->end_epoch(8.9);
  }
  EXPECT_EQ(schedule->factor(10), 0.25);
}

TEST(Schedule, PlateauWithoutPatienceActsAtOnce) {
  const auto schedule = make_schedule(plateau(0.1, 0, 1e-6), 10);
  schedule->end_epoch(1);
  EXPECT_EQ(schedule->factor(1), 1);
  schedule->end_epoch(1);
  EXPECT_EQ(schedule->factor(2), 0.1);
}

TEST(Schedule, WarmUpPassesTheEpochsOnToThePlateau) {
  ScheduleOptions options = plateau(0.5, 0, 0);
  options.warmup_epochs = 1;
  const auto schedule = make_schedule(options, 10);
  schedule->end_epoch(1);
  schedule->end_epoch(2);
  EXPECT_EQ(schedule->factor(2), 0.5);
}

TEST(Schedule, ARestoredOneGoesOnAlike) {
  ScheduleOptions options = plateau(0.5, 1, 0);
  options.warmup_epochs = 1;
  options.origin = ScheduleOrigin::final_phase;
  const auto whole = make_schedule(options, 10);
  whole->set_final_phase(3);
  for (const double loss : {5.0, 4.0, 4.0, 4.0, 4.0}) {
    whole->end_epoch(loss);
  }
  ASSERT_EQ(whole->factor(8), 0.5);
  StateWriter writer;
  whole->save_state(writer);
  const auto after = make_schedule(options, 10);
  StateReader reader(writer.bytes());
  after->restore_state(reader);
  reader.finish();
  for (int epoch = 8; epoch < 14; ++epoch) {
    EXPECT_EQ(after->factor(epoch), whole->factor(epoch));
    after->end_epoch(4);
    whole->end_epoch(4);
  }
  EXPECT_EQ(after->factor(14), 0.0625);
}

}  // namespace
}  // namespace adapt
