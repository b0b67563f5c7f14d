#include <gtest/gtest.h>

#include "base/error.hpp"
#include "exchange/metrics.hpp"
#include "support/world.hpp"

namespace adapt {
namespace {

TEST(MetricsOnRanks, SumDoesNotDependOnTheRanks) {
  MetricSum all;
  MetricSum mine;
  for (int shard = 0; shard < 12; ++shard) {
    const double loss = 1.0 / (shard + 3) + (shard == 5 ? 1e8 : 0);
    all.add(loss, shard, 32);
    if (shard % test::world().size() == test::world().rank()) {
      mine.add(loss, shard, 32);
    }
  }
  mine.reduce(test::world());
  EXPECT_EQ(mine.mean_loss(), all.mean_loss());
  EXPECT_EQ(mine.accuracy(), 66.0 / (12 * 32));
  EXPECT_EQ(mine.images(), 12 * 32);
}

}  // namespace
}  // namespace adapt
