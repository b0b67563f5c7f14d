#include "bench/timing.hpp"

#include <gtest/gtest.h>

namespace adapt {
namespace {

TEST(Spread, HandComputed) {
  const Spread odd = spread_of({3, 1, 2});
  EXPECT_EQ(odd.median, 2);
  EXPECT_EQ(odd.minimum, 1);
  EXPECT_EQ(odd.maximum, 3);
  EXPECT_EQ(spread_of({4, 1, 2, 3}).median, 2.5);
  EXPECT_EQ(spread_of({7}).median, 7);
}

}  // namespace
}  // namespace adapt
