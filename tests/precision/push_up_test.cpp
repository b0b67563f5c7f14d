#include "precision/push_up.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace adapt {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double diversity_of_level(double level) { return std::exp(level + 1); }

TEST(AddedBits, OneUpToDiversityE) {
  for (const Strategy strategy : {Strategy::min, Strategy::mean, Strategy::max}) {
    EXPECT_EQ(added_bits(1.0, 8, strategy), 1);
    EXPECT_EQ(added_bits(2.7, 8, strategy), 1);
    EXPECT_EQ(added_bits(std::nan(""), 8, strategy), 1);
  }
}

TEST(AddedBits, ByHand) {
  // L = 0.6: s1 = ceil(2.78) = 3, s2 = ceil(11.52) - 8 = 4.
  const double diversity = diversity_of_level(0.6);
  EXPECT_EQ(added_bits(diversity, 8, Strategy::min), 3);
  EXPECT_EQ(added_bits(diversity, 8, Strategy::mean), 4);
  EXPECT_EQ(added_bits(diversity, 8, Strategy::max), 4);
  // L = 0.3: s1 = ceil(11.1) = 12, s2 = max(ceil(2.88) - 8, 0) = 0.
  EXPECT_EQ(added_bits(diversity_of_level(0.3), 8, Strategy::min), 0);
  EXPECT_EQ(added_bits(diversity_of_level(0.3), 8, Strategy::mean), 6);
  EXPECT_EQ(added_bits(diversity_of_level(0.3), 8, Strategy::max), 12);
  // L = 3: s1 = 1, s2 = min(288, 32) + 5 with a negative FL_min.
  EXPECT_EQ(added_bits(diversity_of_level(3), -5, Strategy::min), 1);
  EXPECT_EQ(added_bits(diversity_of_level(3), -5, Strategy::mean), 19);
  EXPECT_EQ(added_bits(diversity_of_level(3), -5, Strategy::max), 37);
}

TEST(AddedBits, InfiniteDiversity) {
  EXPECT_EQ(added_bits(kInfinity, 8, Strategy::min), 1);
  EXPECT_EQ(added_bits(kInfinity, 8, Strategy::mean), 13);
  EXPECT_EQ(added_bits(kInfinity, 8, Strategy::max), 24);
  EXPECT_EQ(added_bits(kInfinity, 32, Strategy::min), 0);
}

TEST(AddedBits, TinyLevelStaysAnInt) {
  const double diversity = std::nextafter(std::exp(1.0), 10.0) * (1 + 1e-15);
  ASSERT_GT(std::log(diversity), 1.0);
  EXPECT_EQ(added_bits(diversity, 8, Strategy::max), 1000);
  EXPECT_EQ(added_bits(diversity, 8, Strategy::min), 0);
}

TEST(PushUp, ByHand) {
  // s = 1: FL = 9, WL = max(7, 9) + 1 = 10; 4 buffer bits: WL = max(13, 10).
  EXPECT_EQ(push_up({7, 8}, 1.0, Strategy::min, 4), (FixedFormat{13, 9}));
  EXPECT_EQ(push_up({7, 8}, 1.0, Strategy::min, 8), (FixedFormat{17, 9}));
  EXPECT_EQ(push_up({7, 8}, 1.0, Strategy::min, 0), (FixedFormat{10, 9}));
  // Wide range, few fractional bits: WL follows WL_min.
  EXPECT_EQ(push_up({16, 2}, 1.0, Strategy::min, 4), (FixedFormat{17, 3}));
  EXPECT_EQ(push_up({9, -20}, 1.0, Strategy::min, 4), (FixedFormat{10, -19}));
}

TEST(PushUp, StopsAt32Bits) {
  EXPECT_EQ(push_up({32, 30}, 1.0, Strategy::min, 4), (FixedFormat{32, 28}));
  EXPECT_EQ(push_up({32, 32}, kInfinity, Strategy::max, 0), (FixedFormat{32, 32}));
  EXPECT_EQ(push_up({8, 8}, kInfinity, Strategy::max, 8), (FixedFormat{32, 24}));
}

TEST(OnTier, RoundsUpToTheNext) {
  const std::vector<int> tiers = {8, 16};
  EXPECT_EQ(on_tier({2, 9}, tiers), (FixedFormat{8, 9}));
  EXPECT_EQ(on_tier({8, -1}, tiers), (FixedFormat{8, -1}));
  EXPECT_EQ(on_tier({9, 0}, tiers), (FixedFormat{16, 0}));
  EXPECT_EQ(on_tier({17, 0}, tiers), (FixedFormat{17, 0}));
  EXPECT_EQ(on_tier({9, 0}, {}), (FixedFormat{9, 0}));
}

TEST(PushUp, TheWordMayGrowInsteadOfTheFraction) {
  // A word of 7 bits with one more bit stays 8 bits wherever the binary point stands.
  EXPECT_EQ(push_up_word({7, 8}, 1.0, Strategy::min, 0), (FixedFormat{8, 9}));
  EXPECT_EQ(push_up_word({7, 20}, 1.0, Strategy::min, 0), (FixedFormat{8, 21}));
  EXPECT_EQ(push_up_word({7, 8}, 1.0, Strategy::min, 2), (FixedFormat{10, 9}));
  EXPECT_EQ(push_up_word({32, 30}, 1.0, Strategy::max, 4), (FixedFormat{32, 31}));
}

}  // namespace
}  // namespace adapt
