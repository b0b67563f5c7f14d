#include "numerics/divergence.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "base/error.hpp"

namespace adapt {
namespace {

using Counts = std::vector<std::int64_t>;

TEST(KlDivergence, ByHand) {
  // P = (1/2, 1/2), Q = (3/4, 1/4): 1/2 ln(2/3) + 1/2 ln 2.
  EXPECT_NEAR(kl_divergence(Counts{2, 2}, Counts{3, 1}, 0), 0.5 * std::log(2.0 / 3) + 0.5 * std::log(2.0),
              1e-15);
}

TEST(KlDivergence, SmoothingByHand) {
  // A tenth of all counts for each bin: P = (1/2, 1/2), Q = (1.1, 0.1) / 1.2.
  const double expected = 0.5 * std::log(0.6 / 1.1) + 0.5 * std::log(0.6 / 0.1);
  EXPECT_NEAR(kl_divergence(Counts{5, 5}, Counts{10, 0}, 0.1), expected, 1e-15);
}

TEST(KlDivergence, EqualHistogramsGiveExactlyZero) {
  EXPECT_EQ(kl_divergence(Counts{3, 0, 7}, Counts{3, 0, 7}, 1e-3), 0.0);
  EXPECT_EQ(kl_divergence(Counts{3, 0, 7}, Counts{3, 0, 7}, 0), 0.0);
}

TEST(KlDivergence, EmptyBinsWithoutSmoothing) {
  EXPECT_EQ(kl_divergence(Counts{1, 1}, Counts{2, 0}, 0), std::numeric_limits<double>::infinity());
  EXPECT_NEAR(kl_divergence(Counts{2, 0}, Counts{1, 1}, 0), std::log(2.0), 1e-15);
}

TEST(KlDivergence, HistogramsOfDifferentSampleSizes) {
  EXPECT_EQ(kl_divergence(Counts{1, 3}, Counts{10, 30}, 1e-3), 0.0);
}

TEST(KlDivergence, RefusesWhatHasNoDistribution) {
  EXPECT_THROW(kl_divergence(Counts{1, 1}, Counts{2}, 0), Failure);
  EXPECT_THROW(kl_divergence(Counts{0, 0}, Counts{1, 1}, 0.1), Failure);
  EXPECT_THROW(kl_divergence(Counts{1, 1}, Counts{0, 0}, 0.1), Failure);
  EXPECT_THROW(kl_divergence(Counts{}, Counts{}, 0.1), Failure);
  EXPECT_THROW(kl_divergence(Counts{1, 1}, Counts{1, 1}, -0.1), Failure);
  EXPECT_THROW(kl_divergence(Counts{1, 1}, Counts{1, 1}, std::nan("")), Failure);
}

}  // namespace
}  // namespace adapt
