// The largest magnitudes over the ranks.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "numerics/running_maxima.hpp"
#include "support/world.hpp"

namespace adapt {
namespace {

TEST(AllreduceMaxima, AreThoseOfAllRanks) {
  const mpi::Communicator& ranks = test::world();
  const auto rank = static_cast<float>(ranks.rank());
  const bool last = ranks.rank() == ranks.size() - 1;
  std::vector<std::optional<float>> values = {
      rank,                                                        // rises with the rank
      1.0F / (1.0F + rank),                                        // falls
      std::nullopt,                                                // nobody knows
      last ? std::optional(0.0F) : std::nullopt,                   // one knows
      last ? std::numeric_limits<float>::quiet_NaN() : 1e38F,      // NaN is above all
      last ? 1.0F : std::numeric_limits<float>::infinity(),        // infinity above numbers
      std::numeric_limits<float>::denorm_min() * (last ? 1 : 0)};  // the smallest above 0
  const std::int64_t bytes = allreduce_maxima(values, ranks);
  EXPECT_EQ(bytes, mpi::allreduce_bytes(ranks, 7 * 8));
  EXPECT_EQ(values[0], static_cast<float>(ranks.size() - 1));
  EXPECT_EQ(values[1], 1.0F);
  EXPECT_EQ(values[2], std::nullopt);
  EXPECT_EQ(values[3], 0.0F);
  EXPECT_TRUE(std::isnan(values[4].value()));
  EXPECT_EQ(values[5], ranks.size() == 1 ? 1.0F : std::numeric_limits<float>::infinity());
  EXPECT_EQ(values[6], std::numeric_limits<float>::denorm_min());
}

}  // namespace
}  // namespace adapt
