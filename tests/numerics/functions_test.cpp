// Our own functions against those of the C library, which are good to a unit in the last place, and their
// bits where they must never change.

#include "numerics/functions.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "numerics/instruction_sets.hpp"
#include "numerics/random.hpp"

namespace adapt {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

void expect_near(double found, double expected, double x) {
  ASSERT_NEAR(found, expected, 1e-15 * std::abs(expected)) << x;
}

TEST(Functions, ExponentialIsThatOfTheLibrary) {
  RandomSequence random({.seed = 1});
  for (int i = 0; i < 100'000; ++i) {
    const double x = (random.uniform() - 0.5) * (i % 2 == 0 ? 1400 : 2);
    expect_near(exp(x), std::exp(x), x);
  }
  EXPECT_EQ(exp(0), 1);
  EXPECT_EQ(exp(-800), 0);
  EXPECT_EQ(exp(-kInfinity), 0);
  EXPECT_EQ(exp(800), kInfinity);
  EXPECT_EQ(exp(kInfinity), kInfinity);
  EXPECT_TRUE(std::isnan(exp(kNan)));
  EXPECT_EQ(exp(-744.5), std::exp(-744.5));  // the least numbers there are
  EXPECT_EQ(exp(1), 0x1.5bf0a8b14576ap+1);
}

TEST(Functions, LogarithmIsThatOfTheLibrary) {
  RandomSequence random({.seed = 2});
  for (int i = 0; i < 100'000; ++i) {
    const double x = std::ldexp(0.5 + random.uniform(), static_cast<int>(random.below(1000)) - 500);
    expect_near(log(x), std::log(x), x);
    const double near = 1 + (random.uniform() - 0.5) * 1e-3;
    expect_near(log(near), std::log(near), near);
  }
  EXPECT_EQ(log(1), 0);
  EXPECT_EQ(log(0), -kInfinity);
  EXPECT_EQ(log(kInfinity), kInfinity);
  EXPECT_TRUE(std::isnan(log(-1)));
  EXPECT_TRUE(std::isnan(log(kNan)));
  EXPECT_EQ(log(0x1p-1074), std::log(0x1p-1074));
  EXPECT_EQ(log(10), 0x1.26bb1bbb55516p+1);
}

TEST(Functions, CosineIsThatOfTheLibrary) {
  RandomSequence random({.seed = 3});
  for (int i = 0; i < 100'000; ++i) {
    const double x = (random.uniform() - 0.5) * (i % 2 == 0 ? 14 : 1e5);
    ASSERT_NEAR(cos(x), std::cos(x), 4e-16) << x;
  }
  EXPECT_EQ(cos(0), 1);
  EXPECT_EQ(cos(3.25), -0x1.fcfe909d7f7f8p-1);
}

TEST(Functions, PowerIsAProduct) {
  EXPECT_EQ(power(0.1, 0), 1);
  EXPECT_EQ(power(0.1, 1), 0.1);
  EXPECT_EQ(power(3, 13), 1594323);
  EXPECT_EQ(power(0.5, 1000), 0x1p-1000);
}

class VectorFunctions : public test::EveryInstructionSet {};

TEST_P(VectorFunctions, TanhIsNearThatOfTheLibrary) {
  RandomSequence random({.seed = 4});
  std::vector<float> x(100'003);
  for (float& number : x) {
    number = std::ldexp(static_cast<float>(random.normal()), static_cast<int>(random.below(24)) - 20);
  }
  std::vector<float> y(x.size());
  kernels().tanh(x.data(), y.data(), x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double expected = std::tanh(double{x[i]});
    ASSERT_NEAR(y[i], expected, 4e-7 * std::abs(expected)) << x[i];
    ASSERT_LE(std::abs(y[i]), 1.0F);
  }
}

/// One number after the other, at any place of a register, is as all of them.
TEST_P(VectorFunctions, TanhHasTheSameBitsOnEveryProcessor) {
  RandomSequence random({.seed = 5});
  std::vector<float> x(1000);
  for (float& number : x) {
    number = static_cast<float>(random.normal() * 3);
  }
  std::vector<float> expected(x.size());
  std::vector<float> found(x.size());
  vector::generic::kKernels.tanh(x.data(), expected.data(), x.size());
  kernels().tanh(x.data(), found.data(), x.size());
  EXPECT_EQ(found, expected);
  for (std::size_t i = 0; i < 40; ++i) {
    kernels().tanh(x.data() + i, found.data(), i);
    EXPECT_TRUE(std::equal(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(i),
                           expected.begin() + static_cast<std::ptrdiff_t>(i)));
  }
  const float one = 1;
  float y = 0;
  kernels().tanh(&one, &y, 1);
  EXPECT_EQ(y, 0x1.85efacp-1F);
}

TEST_P(VectorFunctions, TanhOfWhatIsSpecial) {
  const std::vector<float> x = {0.0F, -0.0F, INFINITY, -INFINITY, NAN, 1e30F, 0x1p-149F, -0x1p-140F};
  std::vector<float> y(x.size());
  kernels().tanh(x.data(), y.data(), x.size());
  EXPECT_EQ(y[0], 0.0F);
  EXPECT_FALSE(std::signbit(y[0]));
  EXPECT_TRUE(std::signbit(y[1]));
  EXPECT_EQ(y[2], 1.0F);
  EXPECT_EQ(y[3], -1.0F);
  EXPECT_TRUE(std::isnan(y[4]));
  EXPECT_EQ(y[5], 1.0F);
  EXPECT_EQ(y[6], 0x1p-149F);
  EXPECT_EQ(y[7], -0x1p-140F);
}

TEST_P(VectorFunctions, GradientOfTanh) {
  RandomSequence random({.seed = 6});
  std::vector<float> y(101);
  std::vector<float> dy(y.size());
  for (std::size_t i = 0; i < y.size(); ++i) {
    y[i] = static_cast<float>(random.uniform());
    dy[i] = static_cast<float>(random.normal());
  }
  std::vector<float> dx(y.size());
  kernels().tanh_gradient(y.data(), dy.data(), dx.data(), y.size());
  for (std::size_t i = 0; i < y.size(); ++i) {
    const float square = y[i] * y[i];
    ASSERT_EQ(dx[i], dy[i] * (1.0F - square));
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, VectorFunctions, testing::ValuesIn(vector::kInstructionSets),
                         test::instruction_set_name);

}  // namespace
}  // namespace adapt
