#include "precision/strategy_tracker.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace adapt {
namespace {

TEST(StrategyTracker, StandstillStrengthensAndProgressResets) {
  StrategyTracker tracker(4, Strategy::min, true);
  tracker.add(2);
  tracker.update(4);  // mean 2 <= 2
  EXPECT_EQ(tracker.strategy(), Strategy::mean);
  tracker.add(2);
  tracker.update(4);
  EXPECT_EQ(tracker.strategy(), Strategy::max);
  tracker.add(5);
  tracker.update(4);
  EXPECT_EQ(tracker.strategy(), Strategy::max);
  tracker.add(1);
  tracker.update(4);  // mean 2.5 > 1
  EXPECT_EQ(tracker.strategy(), Strategy::min);
}

TEST(StrategyTracker, LooksBackSoManyStepsAndNoFurther) {
  StrategyTracker tracker(4, Strategy::min, true);
  for (const double loss : {9.0, 1.0, 2.0}) {
    tracker.add(loss);
  }
  tracker.update(2);  // mean 1.5 <= 2
  EXPECT_EQ(tracker.strategy(), Strategy::mean);
  tracker.update(3);  // mean 4 > 2
  EXPECT_EQ(tracker.strategy(), Strategy::min);
}

TEST(StrategyTracker, KeepsAsManyLossesAsItMayNeed) {
  StrategyTracker tracker(2, Strategy::min, true);
  for (const double loss : {9.0, 1.0, 2.0}) {
    tracker.add(loss);
  }
  EXPECT_TRUE(std::ranges::equal(tracker.losses(), std::vector<double>{1.0, 2.0}));
  tracker.update(100);
  EXPECT_EQ(tracker.strategy(), Strategy::mean);
}

TEST(StrategyTracker, ComparesAbsoluteValues) {
  StrategyTracker tracker(4, Strategy::max, true);
  tracker.add(-3);
  tracker.add(-1);
  tracker.update(4);  // |-2| > |-1|
  EXPECT_EQ(tracker.strategy(), Strategy::min);
}

TEST(StrategyTracker, NanLossDecidesNothing) {
  StrategyTracker tracker(4, Strategy::mean, true);
  tracker.add(std::nan(""));
  tracker.update(4);
  EXPECT_EQ(tracker.strategy(), Strategy::mean);
}

TEST(StrategyTracker, FixedStrategyStays) {
  StrategyTracker tracker(4, Strategy::mean, false);
  tracker.add(2);
  tracker.update(4);
  EXPECT_EQ(tracker.strategy(), Strategy::mean);
}

}  // namespace
}  // namespace adapt
