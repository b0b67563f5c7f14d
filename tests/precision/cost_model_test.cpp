#include "precision/cost_model.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "base/error.hpp"

namespace adapt {
namespace {

// Two layers, four steps logged as rows at steps 1 and 4 (the second stands for three steps), batch 10.
RunCosts small_run() {
  RunCosts run;
  run.images_per_step = 10;
  run.layers = {
      {"a", 100, 8, {{1, 8, 1.0}, {4, 16, 0.5}}, {}},
      {"b", 50, 4, {{1, 32, 1.0, true}, {4, 16, 1.0}}, {}},
  };
  return run;
}

TEST(CostModel, WithoutSwitchesByHand) {
  const ModelledCosts costs = model_costs(small_run());
  // a: 10 · 100 · (8 + 3 · 0.5 · 16), b: 10 · 50 · (32 + 3 · 16)
  EXPECT_EQ(costs.forward, 32000 + 40000);
  // at 32 bits: a: 10 · 100 · 32 · (1 + 1.5), b: 10 · 50 · 32 · 4
  EXPECT_EQ(costs.backward, 80000 + 64000);
  EXPECT_EQ(costs.overhead, 0);
  EXPECT_EQ(costs.float32, 2 * 4 * 10 * 150 * 32);
  EXPECT_EQ(costs.training_speedup, 384000.0 / 216000);
  EXPECT_EQ(costs.inference_speedup, 4800.0 / (0.5 * 100 * 16 + 50 * 16));
  EXPECT_EQ(costs.model_size, (0.5 * 8 * 16 + 4 * 16) / (12 * 32));
  // mean copy: a: 8 · (8 + 24) / 4 = 64, b: 4 · 48 / 4 = 48, none at its float32 step
  EXPECT_EQ(costs.training_memory, 1 + 112.0 / 384);
  EXPECT_EQ(costs.mean_word_length, (14.0 + 20.0) / 2);
  EXPECT_EQ(costs.final_word_length, 16);
  EXPECT_EQ(costs.overhead_share, 0);
}

TEST(CostModel, RowsThatTheSumsHoldNeedNotStay) {
  const ModelledCosts costs = model_costs(small_run());
  RunCosts run = small_run();
  for (LayerCosts& layer : run.layers) {
    add_rows(layer.sums, layer.rows);
    layer.rows.erase(layer.rows.begin());
  }
  const ModelledCosts summed = model_costs(run);
  EXPECT_EQ(summed.forward, costs.forward);
  EXPECT_EQ(summed.backward, costs.backward);
  EXPECT_EQ(summed.training_speedup, costs.training_speedup);
  EXPECT_EQ(summed.training_memory, costs.training_memory);
  EXPECT_EQ(summed.mean_word_length, costs.mean_word_length);
}

TEST(CostModel, QuantizedBackwardCostsAsMuchAsForward) {
  RunCosts run = small_run();
  run.quantized_backward = true;
  const ModelledCosts costs = model_costs(run);
  EXPECT_EQ(costs.backward, costs.forward);
  EXPECT_EQ(costs.training_speedup, 384000.0 / 144000);
}

TEST(CostModel, SwitchesByHand) {
  RunCosts run = small_run();
  // PushDown 3 · 8 · 2 · log2(16 - 8) · 50 · 0.5 = 3600, PushUp (25 + 1) · 8 = 208.
  run.layers[0].switches = {{16, 50, 25, 0.5}};
  // max(8 - 8, 2) = 2: PushDown 3 · 4 · 2 · 1 · 10 = 240, PushUp (2 + 1) · 4 = 12.
  run.layers[1].switches = {{8, 10, 2, 1.0}};
  const ModelledCosts costs = model_costs(run);
  EXPECT_EQ(costs.overhead, 32 * (3808 + 252));
  EXPECT_EQ(costs.overhead_share, costs.overhead / (216000 + costs.overhead));
  EXPECT_EQ(costs.training_speedup, 384000 / (216000 + costs.overhead));
}

TEST(CostModel, SwitchesOfAPolicyWithoutPushDownCostNothing) {
  RunCosts run = small_run();
  run.layers[0].switches = {{16, 0, 25, 0.5}};
  EXPECT_EQ(model_costs(run).overhead, 0);
}

TEST(CostModel, Float32IsTheUnit) {
  RunCosts run;
  run.layers = {{"a", 7, 3, {{1, 32, 1.0, true}, {2, 32, 1.0, true}}, {}}};
  const ModelledCosts costs = model_costs(run);
  EXPECT_EQ(costs.training_speedup, 1);
  EXPECT_EQ(costs.inference_speedup, 1);
  EXPECT_EQ(costs.model_size, 1);
  EXPECT_EQ(costs.mean_word_length, 32);
  EXPECT_EQ(costs.training_memory, 1) << "no quantized copy beside the master";
}

TEST(CostModel, ThirtyTwoBitsOfFixedPointAreACopy) {
  RunCosts run;
  run.layers = {{"a", 7, 3, {{1, 32, 1.0, false}}, {}}};
  EXPECT_EQ(model_costs(run).training_memory, 2);
}

TEST(CostModel, NothingLeftIsInfinitelyFast) {
  RunCosts run;
  run.layers = {{"a", 7, 3, {{1, 8, 0.0}}, {}}};
  EXPECT_EQ(model_costs(run).inference_speedup, std::numeric_limits<double>::infinity());
  EXPECT_EQ(model_costs(run).model_size, 0);
}

TEST(CostModel, RefusesWhatCannotBeSummed) {
  EXPECT_THROW(model_costs({}), Failure);
  RunCosts run = small_run();
  run.layers[1].rows[1].step = 3;
  EXPECT_THROW(model_costs(run), Failure);
  run.layers[1].rows.clear();
  EXPECT_THROW(model_costs(run), Failure);
  run.layers[0].rows.clear();
  EXPECT_THROW(model_costs(run), Failure);
}

}  // namespace
}  // namespace adapt
