#include "train/summary.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.hpp"

namespace adapt {
namespace {

LayerRecord row(std::int64_t step, int word_length, double density) {
  LayerRecord record;
  record.step = step;
  record.density = density;
  if (word_length != 0) {
    record.formats.weights = FixedFormat{word_length, 4};
  }
  return record;
}

SwitchEvent switch_at(std::int64_t step, int layer, int word_length, int resolution) {
  SwitchEvent event;
  event.step = step;
  event.layer = layer;
  event.before = FixedFormat{word_length, 4};
  event.resolution = resolution;
  return event;
}

TEST(Summary, Float32RunHasNoGain) {
  RunSummary summary({{"a", 100, 10}, {"b", 50, 30}}, 4);
  summary.add(std::vector{row(1, 0, 0.5), row(1, 0, 1)}, {});  // zeros of a float32 layer save nothing
  const auto figures = summary.finish({});
  EXPECT_EQ(figures.at("modelled_training_speedup"), 1);
  EXPECT_EQ(figures.at("modelled_inference_speedup"), 1);
  EXPECT_EQ(figures.at("modelled_model_size"), 1);
  EXPECT_EQ(figures.at("mean_word_length"), 32);
  EXPECT_EQ(figures.at("final_density"), 1);
}

TEST(Summary, HandComputedFiguresOfTwoSteps) {
  RunSummary summary({{"a", 100, 10}, {"b", 50, 30}}, 4);
  summary.add(std::vector{row(1, 8, 1), row(1, 16, 0.5)}, std::vector{switch_at(1, 0, 8, 50)});
  summary.add(std::vector{row(2, 16, 0.5), row(2, 16, 0.5)}, {});
  const auto figures = summary.finish({});
  EXPECT_EQ(figures.at("mean_word_length"), (8 + 16 + 16 + 16) / 4.0);
  EXPECT_EQ(figures.at("final_word_length"), 16);
  EXPECT_EQ(figures.at("final_density"), 0.5);
  EXPECT_EQ(figures.at("modelled_model_size"), 0.25);
  EXPECT_EQ(figures.at("modelled_inference_speedup"), 4);
  // 4 images, two steps. Forward: 100·(1·8 + 0.5·16) + 50·2·0.5·16; backward: 32·(100·1.5 + 50·1).
  const double forward = 4 * (100 * 16 + 50 * 16);
  const double backward = 4 * 32 * (100 * 1.5 + 50);
  // One switch after one step: PushDown 3·10·2·log2(2)·50, PushUp (1 + 1)·10, at 32 bits.
  const double overhead = 32 * (3 * 10 * 2 * 1 * 50 + 2 * 10);
  const double float32 = 4 * 2 * 2 * 32 * 150;
  EXPECT_DOUBLE_EQ(figures.at("modelled_training_speedup"), float32 / (forward + backward + overhead));
  EXPECT_DOUBLE_EQ(figures.at("modelled_overhead_share"), overhead / (forward + backward + overhead));
}

TEST(Summary, LookbackOfASwitchReachesToTheOneBefore) {
  const auto share = [](std::int64_t first, std::int64_t second) {
    RunSummary summary({{"a", 100, 10}}, 1);
    for (std::int64_t step = 1; step <= 6; ++step) {
      const bool switches = step == first || step == second;
      const std::vector<SwitchEvent> events(switches ? 1 : 0, switch_at(step, 0, 8, 1));
      summary.add(std::vector{row(step, 8, 1)}, events);
    }
    return summary.finish({}).at("modelled_overhead_share");
  };
  // PushUp (lb + 1)·10 each, where lookbacks add up to the step of the last switch; PushDown 3·10·2·log2(2)·1
  // each.
  const double work = 6 * 100 * (8 + 32);
  EXPECT_DOUBLE_EQ(share(2, 6), 32 * 200 / (work + 32 * 200));
  EXPECT_EQ(share(2, 6), share(3, 6));
  EXPECT_LT(share(2, 5), share(2, 6));
}

TEST(Summary, ARestoredOneGoesOnToTheSameFigures) {
  const std::vector<LoggedLayer> layers = {{"a", 100, 10}, {"b", 50, 30}};
  const auto step = [](RunSummary& summary, std::int64_t at) {
    const std::vector<SwitchEvent> events(at % 3 == 0 ? 1 : 0,
                                          switch_at(at, static_cast<int>(at % 2), 8, 50));
    summary.add(std::vector{row(at, 8, 1.0 / static_cast<double>(at)), row(at, at < 5 ? 9 : 0, 0.7)}, events);
  };
  RunSummary whole(layers, 4);
  RunSummary before(layers, 4);
  for (std::int64_t at = 1; at <= 10; ++at) {
    step(whole, at);
    if (at <= 7) {
      step(before, at);
    }
  }
  RunSummary after(layers, 4);
  after.restore_state(before.save_state());
  for (std::int64_t at = 8; at <= 10; ++at) {
    step(after, at);
  }
  EXPECT_EQ(after.finish({}), whole.finish({}));
  EXPECT_EQ(after.save_state(), whole.save_state());
  RunSummary nothing_yet(layers, 4);
  nothing_yet.restore_state(RunSummary(layers, 4).save_state());
  EXPECT_EQ(nothing_yet.save_state(), RunSummary(layers, 4).save_state());
  EXPECT_THROW(RunSummary({{"a", 1, 1}}, 4).restore_state(before.save_state()), BadInput);
  EXPECT_THROW(RunSummary(layers, 4).restore_state({}), BadInput);
}

TEST(Summary, GathersTheEpochs) {
  RunSummary summary({{"a", 1, 1}}, 1);
  summary.add(std::vector{row(1, 8, 1)}, {});
  std::vector<EpochRecord> epochs(3);
  for (std::size_t i = 0; i < 3; ++i) {
    epochs[i].epoch = static_cast<std::int64_t>(i + 1);
    epochs[i].seconds = 2;
    epochs[i].test_seconds = 0.5;
    epochs[i].test_accuracy = i == 1 ? 0.9 : 0.5;
  }
  const auto figures = summary.finish(epochs);
  EXPECT_EQ(figures.at("measured_training_seconds"), 6);
  EXPECT_EQ(figures.at("measured_test_seconds"), 1.5);
  EXPECT_EQ(figures.at("best_test_accuracy"), 0.9);
  EXPECT_EQ(figures.at("final_test_accuracy"), 0.5);
}

}  // namespace
}  // namespace adapt
