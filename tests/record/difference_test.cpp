#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <utility>

#include "record/run_file.hpp"
#include "record/run_log.hpp"
#include "sample_run.hpp"
#include "support/scratch.hpp"

namespace adapt {
namespace {

/// The rows of a run, to be changed before they are written.
struct Rows {
  std::vector<StepRecord> steps;
  std::vector<EpochRecord> epochs = {test::sample_epoch(1)};
  std::vector<LayerRecord> layer;
  std::vector<SwitchEvent> switches = {test::sample_switch(3, 0)};
  std::vector<ModelTensor> model = test::sample_model();
  std::vector<LoggedLayer> layers = {{"conv", 10, 20}};
  std::string configuration = "a";

  Rows() {
    for (std::int64_t step = 1; step <= 4; ++step) {
      steps.push_back(test::sample_step(step));
      layer.push_back(test::sample_layer_row(0, step));
    }
  }
};

void write(const std::filesystem::path& run_dir, const Rows& rows) {
  RunLog log(run_dir, rows.configuration, {}, rows.layers);
  for (const auto& row : rows.steps) {
    log.append(row);
  }
  for (const auto& row : rows.epochs) {
    log.append(row);
  }
  for (const auto& row : rows.layer) {
    log.append(0, row);
  }
  for (const auto& row : rows.switches) {
    log.append(row);
  }
  log.write_model(rows.model);
  log.flush();
}

/// first_difference between the plain rows and changed ones.
std::string difference(const std::function<void(Rows&)>& change) {
  const test::Scratch scratch;
  Rows rows;
  write(scratch.path() / "a", rows);
  change(rows);
  write(scratch.path() / "b", rows);
  return first_difference(RunFile(scratch.path() / "a"), RunFile(scratch.path() / "b"));
}

TEST(FirstDifference, NoneBetweenEqualRuns) {
  EXPECT_EQ(difference([](Rows&) {}), "");
}

TEST(FirstDifference, TimesBytesAndConfigurationDoNotCount) {
  EXPECT_EQ(difference([](Rows& rows) {
              rows.configuration = std::string("b");
              rows.steps[1].seconds.forward = 99;
              rows.steps[1].exposed_seconds = 99;
              rows.steps[1].bytes_sent = 1;
              rows.epochs[0].seconds = 99;
              rows.epochs[0].test_seconds = 99;
            }),
            "");
}

TEST(FirstDifference, OneBitOfALoss) {
  EXPECT_EQ(
      difference([](Rows& rows) { rows.steps[1].loss = std::nextafter(rows.steps[1].loss, 10.0); }),
      "steps/loss differs at step 2: 1.2500000010000001 (0x3ff400000044b830) against 1.2500000010000003 "
      "(0x3ff400000044b831)");
}

TEST(FirstDifference, NegativeZeroIsNotZeroAndANanIsItself) {
  EXPECT_NE(difference([](Rows& rows) { rows.model[3].numbers[1] = 0.0F; }), "");
  EXPECT_EQ(
      difference([](Rows& rows) { rows.epochs[0].test_loss = std::numeric_limits<double>::quiet_NaN(); }),
      "");
  EXPECT_NE(
      difference([](Rows& rows) { rows.epochs[0].test_loss = -std::numeric_limits<double>::quiet_NaN(); }),
      "");
}

TEST(FirstDifference, EveryKindOfRowCounts) {
  const std::vector<std::pair<std::string, std::function<void(Rows&)>>> cases = {
      {"steps/cross_entropy differs at step 1", [](Rows& r) { r.steps[0].cross_entropy = 0; }},
      {"steps/learning_rate differs at step 4", [](Rows& r) { r.steps[3].learning_rate = 0; }},
      {"steps/strategy differs at step 3: 'min' against 'max'", [](Rows& r) { r.steps[2].strategy = "max"; }},
      {"layers/conv/format differs at step 2: <8,4> against float32",
       [](Rows& r) { r.layer[1].formats.weights = std::nullopt; }},
      {"layers/conv/inputs_format differs at step 2: <9,40> against <9,41>",
       [](Rows& r) {
         r.layer[1].formats.inputs = FixedFormat{9, 41};
       }},
      {"layers/conv/outputs_format differs at step 2",
       [](Rows& r) { r.layer[1].formats.outputs = std::nullopt; }},
      {"layers/conv/gradients_format differs at step 2: float32 against <32,0>",
       [](Rows& r) {
         r.layer[1].formats.gradients = FixedFormat{32, 0};
       }},
      {"layers/conv/lookback differs at step 1: 25 against 26",
       [](Rows& r) { r.layer[0].state.lookback = 26; }},
      {"layers/conv/resolution differs at step 1", [](Rows& r) { r.layer[0].state.resolution = 0; }},
      {"layers/conv/diversity differs at step 1", [](Rows& r) { r.layer[0].state.diversity = 1; }},
      {"layers/conv/divergence differs at step 1", [](Rows& r) { r.layer[0].state.divergence = 1; }},
      {"layers/conv/density differs at step 4", [](Rows& r) { r.layer[3].density = 0.5; }},
      {"switches/after differs at step 3: float32 against <9,5>",
       [](Rows& r) {
         r.switches[0].after = FixedFormat{9, 5};
       }},
      {"switches/minimal differs at step 3", [](Rows& r) { r.switches[0].minimal = std::nullopt; }},
      {"epochs/test_accuracy differs at epoch 1", [](Rows& r) { r.epochs[0].test_accuracy = 1; }},
      {"model/conv0.weight differs at element 3: 1 against 2", [](Rows& r) { r.model[1].integers[3] = 2; }},
      {"model/format differs at tensor 'conv0.weight': <9,12> against <9,13>",
       [](Rows& r) {
         r.model[1].format = FixedFormat{9, 13};
       }},
      {"model/shape differs at tensor 'conv0.weight': (2, 2) against (4)",
       [](Rows& r) { r.model[1].dims = {4}; }},
      {"model/name differs at tensor 'scale'", [](Rows& r) { r.model[4].name = "shift"; }},
      {"layers/parameters differs at layer 'conv': 20 against 21",
       [](Rows& r) { r.layers[0].parameters = 21; }},
      {"run B has 2 steps, run A 4", [](Rows& r) { r.steps.resize(2); }},
      {"run B has 5 rows of layer 'conv', run A 4", [](Rows& r) { r.layer.push_back(r.layer[3]); }},
      {"run B has 0 precision switches, run A 1", [](Rows& r) { r.switches.clear(); }},
      {"run B has 2 epochs, run A 1", [](Rows& r) { r.epochs.push_back(test::sample_epoch(2)); }},
      {"run B has 0 tensors in its final model, run A 5", [](Rows& r) { r.model.clear(); }},
  };
  for (const auto& [expected, change] : cases) {
    const std::string text = difference(change);
    EXPECT_TRUE(text.starts_with(expected)) << "expected " << expected << "\ngot      " << text;
  }
}

TEST(FirstDifference, TheEarliestStepIsNamedWhateverTheTable) {
  const std::string text = difference([](Rows& rows) {
    rows.steps[3].loss = 0;
    rows.layer[1].state.lookback = 99;
    rows.switches[0].lookback = 1;
    rows.layer.pop_back();
  });
  EXPECT_EQ(text, "layers/conv/lookback differs at step 2: 25 against 99");
}

}  // namespace
}  // namespace adapt
