// What belongs to the recipe, in whole trainings: accumulation, early end, best and last model.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "bench/synthetic.hpp"
#include "mpi/together.hpp"
#include "record/run_file.hpp"
#include "support/scratch.hpp"
#include "support/world.hpp"
#include "train/evaluation.hpp"
#include "train/model_file.hpp"
#include "train/step.hpp"

namespace adapt {
namespace {

TrainerOptions recipe(const std::string& model, bool quantized) {
  TrainerOptions options;
  options.model.name = model;
  options.training.epochs = 3;
  options.training.batch = 16;
  options.training.shards = 4;
  options.training.test_batch = 16;
  options.training.weight_decay = 1e-4;
  if (quantized) {
    options.engine.name = Engine::emulated;
    options.precision.name = Policy::adapt;
    options.precision.adapt.lookback_lower = 1;
    options.precision.adapt.lookback_upper = 2;
  }
  return options;
}

/// All that a training leaves in the model: master weights and running statistics.
std::vector<AlignedVector<float>> numbers_of(const ModelState& state) {
  std::vector<AlignedVector<float>> numbers;
  for (const Parameter& parameter : state.parameters) {
    numbers.push_back(parameter.master);
  }
  for (const RunningStatistics& statistics : state.statistics) {
    numbers.push_back(statistics.running_mean);
    numbers.push_back(statistics.running_variance);
  }
  return numbers;
}

struct Trained {
  std::vector<AlignedVector<float>> numbers;
  std::vector<double> losses;
};

/// Three steps, the last one in the second epoch.
Trained train(TrainerOptions options, int batch, int shards, int accumulate) {
  options.training.batch = batch;
  options.training.shards = shards;
  options.training.accumulate = accumulate;
  TrainingStep step(options, synthetic_images(options.model.name, 40), test::world());
  Trained trained;
  EXPECT_EQ(step.steps_per_epoch(), 2);
  for (int i = 0; i < 3; ++i) {
    const StepOutcome outcome = step.run(0.05);
    EXPECT_EQ(outcome.metrics.images(), 16);
    trained.losses.push_back(outcome.record.cross_entropy);
  }
  trained.numbers = numbers_of(*step.state());
  return trained;
}

/// Mini-batches of an optimizer step are cut into the same shards with the same random keys as one batch of
/// their size, and sums over shards are exact: every bit is the same, batch norm included.
void expect_accumulation_equals_one_batch(const TrainerOptions& options) {
  const Trained one = train(options, 16, 4, 1);
  const Trained two = train(options, 8, 2, 2);
  const Trained four = train(options, 4, 1, 4);
  EXPECT_EQ(two.losses, one.losses);
  EXPECT_EQ(two.numbers, one.numbers);
  EXPECT_EQ(four.losses, one.losses);
  EXPECT_EQ(four.numbers, one.numbers);
}

TEST(Accumulation, EqualsOneBatch) { expect_accumulation_equals_one_batch(recipe("lenet5", false)); }

TEST(Accumulation, EqualsOneBatchWithQuantizedGradients) {
  expect_accumulation_equals_one_batch(recipe("lenet5", true));
}

TEST(Accumulation, EqualsOneBatchWithBatchNorm) {
  expect_accumulation_equals_one_batch(recipe("resnet20", false));
  expect_accumulation_equals_one_batch(recipe("resnet20", true));
}

TEST(Accumulation, MoreRanksThanShardsOfAStepAreRefused) {
  TrainerOptions options = recipe("lenet5", false);
  options.training.batch = 1;
  options.training.shards = 1;
  const DataSplits data = synthetic_images("lenet5", 8);
  options.training.accumulate = test::world().size();
  EXPECT_NO_THROW(TrainingStep(options, data, test::world()));
  if (test::world().size() > 1) {
    options.training.accumulate = test::world().size() - 1;
    EXPECT_THROW(TrainingStep(options, data, test::world()), BadInput);
  }
}

/// Test accuracies by epoch of a whole training.
std::vector<double> accuracies(const TrainerOptions& options, const DataSplits& data) {
  Trainer trainer(options, data, test::world());
  std::vector<double> values;
  std::int64_t epoch = 1;
  trainer.run({}, [&](const TrainerProgress& progress) {
    if (progress.epoch > epoch) {
      values.push_back(progress.test_accuracy.value());
      epoch = progress.epoch;
    }
  });
  values.push_back(trainer.test_accuracy());
  return values;
}

TEST(EarlyEnd, AfterTheFirstEpochThatReachesTheTarget) {
  TrainerOptions options = recipe("lenet5", false);
  const DataSplits data = synthetic_images("lenet5", 64);
  const std::vector<double> all = accuracies(options, data);
  ASSERT_EQ(all.size(), 3U);
  ASSERT_GT(all[0], 0);
  options.training.target_accuracy = all[0];  // reached exactly
  EXPECT_EQ(accuracies(options, data), (std::vector<double>{all[0]}));
  options.training.target_accuracy = 1;
  ASSERT_LT(*std::max_element(all.begin(), all.end()), 1);
  EXPECT_EQ(accuracies(options, data), all) << "never reached";
}

/// A folder that all ranks know; rank 0 makes and removes it.
class SharedFolder {
 public:
  SharedFolder() {
    if (test::world().rank() == 0) {
      scratch_.emplace();
    }
    path_ = test::world().broadcast(scratch_ ? scratch_->path().string() : "");
  }
  ~SharedFolder() { test::world().barrier(); }
  SharedFolder(const SharedFolder&) = delete;
  SharedFolder& operator=(const SharedFolder&) = delete;

  [[nodiscard]] std::filesystem::path operator/(const char* name) const { return path_ / name; }

 private:
  std::optional<test::Scratch> scratch_;
  std::filesystem::path path_;
};

RunFile train_and_read(const TrainerOptions& options, const DataSplits& data,
                       const std::filesystem::path& run_dir) {
  Trainer trainer(options, data, test::world());
  std::optional<RunLog> log;
  if (test::world().rank() == 0) {
    log.emplace(run_dir, "seed: 1\n", std::map<std::string, std::string>{}, trainer.layers());
  }
  trainer.run({.log = log ? &*log : nullptr}, {});
  if (log) {
    log->finish();
  }
  test::world().barrier();
  return RunFile(run_dir);
}

void expect_equal(const std::vector<ModelTensor>& a, const std::vector<ModelTensor>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].name, b[i].name);
    EXPECT_EQ(a[i].format, b[i].format);
    EXPECT_EQ(a[i].integers, b[i].integers) << a[i].name;
    EXPECT_EQ(a[i].numbers, b[i].numbers) << a[i].name;
  }
}

TEST(BestModel, IsTheFirstOfEquals) {
  TrainerOptions options = recipe("lenet5", false);
  options.training.learning_rate = 1e-6;  // weights move, accuracy does not
  const DataSplits data = synthetic_images("lenet5", 64);
  const SharedFolder folder;
  const RunFile three = train_and_read(options, data, folder / "three");
  const auto epochs = three.epochs();
  ASSERT_EQ(epochs.size(), 3U);
  ASSERT_EQ(epochs[0].test_accuracy, epochs[2].test_accuracy);
  EXPECT_EQ(three.best_model().epoch, 1);
  EXPECT_EQ(three.summary().at("best_epoch"), 1);
  EXPECT_NE(three.best_model().tensors[0].numbers, three.model()[0].numbers);
  options.training.epochs = 1;
  const RunFile one = train_and_read(options, data, folder / "one");
  expect_equal(three.best_model().tensors, one.model());
}

/// Loss and accuracy of a stored model.
MetricSum evaluate_stored(const std::vector<ModelTensor>& tensors, const TrainerOptions& options,
                          const DataSplits& data) {
  const Graph graph = make_graph(options, data, options.training.test_batch);
  const auto state = initialize(graph, options.model.init_scale, options.seed);
  const PrecisionPlan plan = load_model(tensors, *state, graph.layers.size());
  Network network(graph, state, /*training=*/false);
  return evaluate(network, *data.test, data.normalization, &plan, test::world());
}

void expect_stored_models_score_as_logged(const TrainerOptions& options) {
  const DataSplits data = synthetic_images(options.model.name, 64);
  const SharedFolder folder;
  const RunFile file = train_and_read(options, data, folder / "run");
  const auto epochs = file.epochs();
  const BestModel best = file.best_model();
  const auto highest = std::max_element(epochs.begin(), epochs.end(), [](const auto& a, const auto& b) {
    return a.test_accuracy < b.test_accuracy;
  });
  ASSERT_EQ(best.epoch, highest->epoch);
  const MetricSum of_best = evaluate_stored(best.tensors, options, data);
  EXPECT_EQ(of_best.accuracy(), highest->test_accuracy);
  EXPECT_EQ(of_best.mean_loss(), highest->test_loss);
  EXPECT_EQ(evaluate_stored(file.model(), options, data).mean_loss(), epochs.back().test_loss);
}

TEST(BestModel, ScoresAsItDidWhenItWasKept) {
  expect_stored_models_score_as_logged(recipe("lenet5", false));
  expect_stored_models_score_as_logged(recipe("lenet5", true));
  TrainerOptions options = recipe("resnet20", true);
  options.training.learning_rate = 0.05;
  expect_stored_models_score_as_logged(options);
}

}  // namespace
}  // namespace adapt
