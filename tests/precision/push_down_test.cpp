#include "precision/push_down.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "numerics/divergence.hpp"
#include "numerics/random.hpp"

namespace adapt {
namespace {

// The obvious PushDown: quantizes and bins every weight for every format that is tried.
class Reference {
 public:
  Reference(std::vector<float> weights, InformationBound bound)
      : weights_(std::move(weights)),
        bound_(bound),
        bins_(*std::ranges::min_element(weights_), *std::ranges::max_element(weights_), bound.resolution) {}

  double divergence(FixedFormat format) const {
    std::vector<std::int64_t> p(static_cast<std::size_t>(bound_.resolution));
    std::vector<std::int64_t> q(p.size());
    for (const double weight : weights_) {
      const double scaled = std::ldexp(weight, format.fractional_length);
      const double rounded = std::clamp(std::nearbyint(scaled), static_cast<double>(format.lowest()),
                                        static_cast<double>(format.highest()));
      ++p[static_cast<std::size_t>(bins_.index(weight))];
      ++q[static_cast<std::size_t>(bins_.index(std::ldexp(rounded, -format.fractional_length)))];
    }
    return kl_divergence(p, q, bound_.smoothing);
  }

  bool passes(FixedFormat format) const { return divergence(format) <= bound_.epsilon; }

  // The largest FL <= 32 at which no weight saturates, up to rounding: |w| · 2^FL < 2^(WL - 1).
  int finest(int word_length) const {
    int fl = kHighestFractionalLength;
    while (std::ldexp(magnitude(), fl) >= std::ldexp(1.0, word_length - 1)) {
      --fl;
    }
    return magnitude() > 0 ? fl : std::min(word_length, kHighestFractionalLength);
  }

  // The largest FL <= 32 at which |w| · 2^FL < 1/2 for all weights.
  int coarsest() const {
    int fl = magnitude() > 0 ? kHighestFractionalLength : 0;
    while (std::ldexp(magnitude(), fl) >= 0.5) {
      --fl;
    }
    return fl;
  }

  PushDownResult push_down(int word_length) const {
    std::optional<int> fl = smallest_fl(word_length);
    if (!fl) {
      word_length = 32;
      fl = smallest_fl(word_length);
    }
    if (!fl) {
      return {{32, finest(32)}, divergence({32, finest(32)}), false};
    }
    const int wl = bisect(2, word_length, [&](int bits) { return passes({bits, *fl}); });
    return {{wl, *fl}, divergence({wl, *fl}), true};
  }

 private:
  double magnitude() const {
    double largest = 0;
    for (const double weight : weights_) {
      largest = std::max(largest, std::abs(weight));
    }
    return largest;
  }

  std::optional<int> smallest_fl(int word_length) const {
    if (!passes({word_length, finest(word_length)})) {
      return std::nullopt;
    }
    return bisect(coarsest(), finest(word_length), [&](int fl) { return passes({word_length, fl}); });
  }

  static int bisect(int lower, int upper, const std::function<bool(int)>& passes) {
    while (lower < upper) {
      const int middle = lower + (upper - lower) / 2;
      (passes(middle) ? upper : lower) = passes(middle) ? middle : middle + 1;
    }
    return upper;
  }

  std::vector<float> weights_;
  InformationBound bound_;
  Bins bins_;
};

std::vector<float> drawn(std::size_t count, const std::function<double(RandomSequence&)>& draw) {
  RandomSequence random({.seed = 11});
  std::vector<float> values(count);
  std::ranges::generate(values, [&] { return static_cast<float>(draw(random)); });
  return values;
}

void expect_like_reference(const std::vector<float>& weights, const std::string& what) {
  const SortedValues sorted(weights);
  for (const int resolution : {1, 2, 50, 150}) {
    for (const double epsilon : {1e-9, 1e-3, 0.03, 0.5}) {
      const InformationBound bound{resolution, epsilon, 1e-3};
      const Reference reference(weights, bound);
      for (const int word_length : {2, 5, 8, 13, 32}) {
        const PushDownResult expected = reference.push_down(word_length);
        const PushDownResult found = push_down(sorted, word_length, bound);
        EXPECT_EQ(found.format, expected.format)
            << what << ", r " << resolution << ", epsilon " << epsilon << ", WL " << word_length;
        EXPECT_EQ(found.divergence, expected.divergence) << what;
        EXPECT_EQ(found.satisfied, expected.satisfied) << what;
        EXPECT_EQ(found.satisfied, found.divergence <= epsilon) << what;
      }
    }
  }
}

TEST(PushDown, SameAsTheReference) {
  expect_like_reference(drawn(1, [](auto& r) { return r.normal(); }), "one weight");
  expect_like_reference(drawn(2, [](auto& r) { return r.normal(); }), "two weights");
  expect_like_reference(drawn(150, [](auto& r) { return 0.14 * r.normal(); }), "small layer");
  expect_like_reference(drawn(3000, [](auto& r) { return 0.03 * r.normal(); }), "normal");
  expect_like_reference(drawn(1500, [](auto& r) { return std::pow(r.normal(), 3); }), "heavy tails");
  expect_like_reference(drawn(1100, [](auto& r) { return 1 + r.uniform(); }), "all positive");
  expect_like_reference(drawn(400, [](auto& r) { return 1e-20 * r.normal(); }), "too small for FL 32");
  expect_like_reference(drawn(400, [](auto& r) { return 1e10 * r.normal(); }), "negative FL");
}

TEST(PushDown, NothingSmallerPassesOnNormalWeights) {
  const std::vector<float> weights = drawn(2400, [](auto& r) { return 0.06 * r.normal(); });
  const InformationBound bound{100, 0.03, 1e-3};
  const PushDownResult found = push_down(SortedValues(weights), 12, bound);
  const Reference reference(weights, bound);
  ASSERT_TRUE(found.satisfied);
  for (int fl = -10; fl < found.format.fractional_length; ++fl) {
    EXPECT_FALSE(reference.passes({12, fl})) << fl;
  }
  for (int wl = 2; wl < found.format.word_length; ++wl) {
    EXPECT_FALSE(reference.passes({wl, found.format.fractional_length})) << wl;
  }
}

TEST(PushDown, ByHand) {
  // ±1 stay in the end bins from FL = 0 on (at FL = -1 the tie 1/2 goes to 0), and -2..1 holds them.
  const std::vector<float> weights = {-1.0F, 1.0F};
  const PushDownResult found = push_down(SortedValues(weights), 8, {4, 0.01, 1e-3});
  EXPECT_EQ(found.format, (FixedFormat{2, 0}));
  EXPECT_EQ(found.divergence, 0.0);
  EXPECT_TRUE(found.satisfied);
}

TEST(PushDown, AllZeroWeightsNeedNothing) {
  const std::vector<float> weights(7, 0.0F);
  for (const int word_length : {2, 8, 32}) {
    const PushDownResult found = push_down(SortedValues(weights), word_length, {50, 0.01, 1e-3});
    EXPECT_EQ(found.format, (FixedFormat{2, 0}));
    EXPECT_TRUE(found.satisfied);
  }
}

TEST(PushDown, ConstantWeightsMustBeExact) {
  const std::vector<float> constant(5, 0.625F);  // 5/8
  EXPECT_EQ(push_down(SortedValues(constant), 8, {50, 0.01, 1e-3}).format, (FixedFormat{4, 3}));
  const std::vector<float> single = {-0.5F};
  EXPECT_EQ(push_down(SortedValues(single), 8, {50, 0.01, 1e-3}).format, (FixedFormat{2, 1}));
}

TEST(PushDown, AWordLengthThatIsTooShortIsLeft) {
  const std::vector<float> weights = drawn(5000, [](auto& r) { return r.normal(); });
  const InformationBound bound{150, 0.01, 1e-3};
  const PushDownResult from_two = push_down(SortedValues(weights), 2, bound);
  EXPECT_TRUE(from_two.satisfied);
  EXPECT_EQ(from_two.format, push_down(SortedValues(weights), 32, bound).format);
}

TEST(PushDown, WhatNoFormatHoldsIsReported) {
  // FL stops at 32, where both round to zero.
  const std::vector<float> tiny = {-1e-30F, 1e-30F};
  const PushDownResult lost = push_down(SortedValues(tiny), 8, {4, 1e-3, 1e-3});
  EXPECT_FALSE(lost.satisfied);
  EXPECT_EQ(lost.format, (FixedFormat{32, 32}));
  EXPECT_GT(lost.divergence, 1e-3);
}

}  // namespace
}  // namespace adapt
