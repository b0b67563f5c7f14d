#include "numerics/plan.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace adapt {
namespace {

PrecisionPlan sample() {
  PrecisionPlan plan;
  plan.version = 7;
  plan.final_phase = 3;
  plan.layers.resize(2);
  plan.layers[0].weights = FixedFormat{8, -4};
  plan.layers[0].activation_gradients = FixedFormat{32, 40};
  plan.layers[1].operands = FixedFormat{1, 0};
  return plan;
}

TEST(Plan, ComesBackAsItWas) {
  PrecisionPlan plan;
  plan.layers.resize(2);
  unpack(pack(sample()), plan);
  EXPECT_EQ(plan, sample());
}

TEST(Plan, WhatIsNoneIsRefused) {
  PrecisionPlan plan;
  plan.layers.resize(1);
  EXPECT_THROW(unpack(pack(sample()), plan), BadInput) << "of two layers";
  plan.layers.resize(2);
  for (const FixedFormat format : {FixedFormat{33, 0}, FixedFormat{-1, 0}, FixedFormat{8, 40000}}) {
    PrecisionPlan broken = sample();
    broken.layers[1].gradients = format;
    EXPECT_THROW(unpack(pack(broken), plan), BadInput) << format;
    EXPECT_THROW(check_formats(broken), BadInput) << format;
  }
  EXPECT_NO_THROW(check_formats(sample()));
}

}  // namespace
}  // namespace adapt
