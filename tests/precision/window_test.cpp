#include "precision/window.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace adapt {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(GradientWindow, EqualGradientsHaveDiversityOne) {
  GradientWindow window(11);
  const std::vector<float> gradient(11, 0.1F);
  for (int i = 0; i < 25; ++i) {
    window.add(gradient, std::sqrt(11.0) * 0.1F);
  }
  EXPECT_EQ(window.steps(), 25);
  EXPECT_GE(window.diversity(), 1.0) << "rounding must not break the triangle inequality";
  EXPECT_NEAR(window.diversity(), 1.0, 1e-6);
}

TEST(GradientWindow, OrthogonalGradientsByHand) {
  GradientWindow window(10);
  std::vector<float> gradient(10);
  gradient[0] = 3.0F;
  window.add(gradient, 3);
  gradient[0] = 0.0F;
  gradient[9] = 4.0F;
  window.add(gradient, 4);
  EXPECT_EQ(window.diversity(), 7.0 / 5.0);
}

TEST(GradientWindow, GradientsThatCancelOrVanishAreInfinitelyDiverse) {
  GradientWindow window(2);
  EXPECT_EQ(window.diversity(), kInfinity);
  window.add(std::vector<float>{0.0F, 0.0F}, 0);
  EXPECT_EQ(window.diversity(), kInfinity);
  window.add(std::vector<float>{1.0F, -2.0F}, std::sqrt(5.0));
  window.add(std::vector<float>{-1.0F, 2.0F}, std::sqrt(5.0));
  EXPECT_EQ(window.diversity(), kInfinity);
}

TEST(GradientWindow, ClearStartsAnew) {
  GradientWindow window(1);
  window.add(std::vector<float>{1.0F}, 1);
  window.clear();
  EXPECT_EQ(window.steps(), 0);
  window.add(std::vector<float>{-2.0F}, 2);
  EXPECT_EQ(window.diversity(), 1.0);
}

AdaptPolicyOptions options_with(double momentum) {
  AdaptPolicyOptions options;
  options.lookback_lower = 25;
  options.lookback_upper = 100;
  options.resolution_lower = 50;
  options.resolution_upper = 150;
  options.lookback_momentum = momentum;
  return options;
}

TEST(NextLookback, FollowsTheDiversity) {
  const AdaptPolicyOptions options = options_with(1.0);
  EXPECT_EQ(next_lookback(25, 1.0, options), 100);
  EXPECT_EQ(next_lookback(25, 3.0, options), 34);  // ceil(33.3)
  EXPECT_EQ(next_lookback(100, 4.0, options), 25);
  EXPECT_EQ(next_lookback(100, 50.0, options), 25);
  EXPECT_EQ(next_lookback(100, kInfinity, options), 25);
}

TEST(NextLookback, MomentumRoundsUp) {
  EXPECT_EQ(next_lookback(25, 1.0, options_with(0.33)), 50);         // 25 + 24.75
  EXPECT_EQ(next_lookback(100, kInfinity, options_with(0.33)), 76);  // 100 - 24.75
  EXPECT_EQ(next_lookback(28, kInfinity, options_with(0.33)), 28);   // 27.01 up again
  EXPECT_EQ(next_lookback(28, kInfinity, options_with(0.9)), 26);    // 25.3
  EXPECT_EQ(next_lookback(75, 1.0, options_with(0.2)), 80);          // 80 exactly, whatever 0.2 rounds to
  EXPECT_EQ(next_lookback(40, 1.0, options_with(0.0)), 40);
}

TEST(NextLookback, StaysWhereItIsWanted) {
  for (const double momentum : {0.1, 0.33, 0.7, 0.9, 1.0}) {
    EXPECT_EQ(next_lookback(25, kInfinity, options_with(momentum)), 25) << momentum;
    EXPECT_EQ(next_lookback(100, 1.0, options_with(momentum)), 100) << momentum;
  }
}

TEST(NextResolution, MovesAtTheEndsOfTheLookback) {
  const AdaptPolicyOptions options = options_with(1.0);
  EXPECT_EQ(next_resolution(70, 100, options), 71);
  EXPECT_EQ(next_resolution(70, 25, options), 69);
  EXPECT_EQ(next_resolution(70, 60, options), 70);
  EXPECT_EQ(next_resolution(150, 100, options), 150);
  EXPECT_EQ(next_resolution(50, 25, options), 50);
}

TEST(NextResolution, ALookbackThatCannotMoveLeavesIt) {
  AdaptPolicyOptions options = options_with(1.0);
  options.lookback_lower = 100;
  EXPECT_EQ(next_resolution(70, 100, options), 70);
}

}  // namespace
}  // namespace adapt
