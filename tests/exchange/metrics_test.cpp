#include "exchange/metrics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace adapt {
namespace {

MetricSum sum_of(const std::vector<double>& losses) {
  MetricSum sum;
  for (const double loss : losses) {
    sum.add(loss, 1, 2);
  }
  return sum;
}

TEST(Metrics, HandComputedMeans) {
  MetricSum sum;
  sum.add(3.5, 2, 4);
  sum.add(0.5, 1, 1);
  EXPECT_EQ(sum.mean_loss(), 4.0 / 5);
  EXPECT_EQ(sum.accuracy(), 3.0 / 5);
  EXPECT_EQ(sum.images(), 5);
}

TEST(Metrics, OrderDoesNotMatter) {
  const MetricSum one = sum_of({0.1, 1e8, 0.3, 1e-7, -2.7});
  const MetricSum other = sum_of({1e-7, -2.7, 0.3, 0.1, 1e8});
  EXPECT_EQ(one.mean_loss(), other.mean_loss());
  MetricSum parts = sum_of({0.3, -2.7});
  parts += sum_of({1e8, 0.1, 1e-7});
  EXPECT_EQ(parts.mean_loss(), one.mean_loss());
  EXPECT_EQ(parts.accuracy(), one.accuracy());
}

TEST(Metrics, ResolvesSmallLosses) { EXPECT_EQ(sum_of({0x1p-24}).mean_loss(), 0x1p-25); }

TEST(Metrics, DivergedLossIsAFailure) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const double loss : {std::nan(""), kInfinity, -kInfinity, 0x1p30, -0x1p31}) {
    MetricSum sum;
    try {
      sum.add(loss, 0, 1);
      FAIL() << "expected Failure for " << loss;
    } catch (const Failure& error) {
      EXPECT_NE(std::string(error.what()).find("diverged"), std::string::npos) << error.what();
    }
  }
}

TEST(Metrics, ManyHugeLossesFailAndDoNotOverflow) {
  const auto add_many = [](MetricSum& sum) {
    for (int i = 0; i < 1024; ++i) {
      sum.add(0x1p30 - 1, 0, 1);
    }
  };
  MetricSum all;
  EXPECT_THROW(add_many(all), Failure);
  const auto double_often = [](MetricSum sum) {
    for (int i = 0; i < 64; ++i) {
      sum += MetricSum(sum);
    }
  };
  EXPECT_THROW(double_often(sum_of({0x1p29})), Failure);
}

}  // namespace
}  // namespace adapt
