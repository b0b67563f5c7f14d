#include <algorithm>
#include <map>
#include <numeric>

#include "data/loader.hpp"
#include "fixtures.hpp"

namespace adapt {
namespace {

TEST(Order, IsAPermutation) {
  for (const std::int64_t samples : {0, 1, 2, 7, 1000}) {
    std::vector<std::int64_t> order = epoch_order(samples, 1, 0);
    std::sort(order.begin(), order.end());
    std::vector<std::int64_t> all(static_cast<std::size_t>(samples));
    std::iota(all.begin(), all.end(), std::int64_t{0});
    EXPECT_EQ(order, all);
  }
}

TEST(Order, IsAFunctionOfSeedAndEpoch) {
  EXPECT_EQ(epoch_order(100, 1, 3), epoch_order(100, 1, 3));
  EXPECT_NE(epoch_order(100, 1, 3), epoch_order(100, 1, 4));
  EXPECT_NE(epoch_order(100, 1, 3), epoch_order(100, 2, 3));
  EXPECT_THROW(epoch_order(100, 1, -1), Failure);
}

TEST(Order, EveryPermutationIsAsLikely) {
  std::map<std::vector<std::int64_t>, int> seen;
  constexpr int kEpochs = 6000;
  for (int epoch = 0; epoch < kEpochs; ++epoch) {
    ++seen[epoch_order(3, 1, epoch)];
  }
  ASSERT_EQ(seen.size(), 6U);
  for (const auto& [order, count] : seen) {
    EXPECT_NEAR(count, kEpochs / 6, 150) << order[0] << order[1] << order[2];  // five standard deviations
  }
}

TEST(Steps, WholeBatchesOnly) {
  EXPECT_EQ(steps_per_epoch(10, 3), 3);
  EXPECT_EQ(steps_per_epoch(10, 10), 1);
  test::expect_bad_input([] { steps_per_epoch(10, 11); }, {"training.batch is 11", "10 training images"});
  test::expect_bad_input([] { steps_per_epoch(10, 0); }, {"training.batch is 0"});
}

}  // namespace
}  // namespace adapt
