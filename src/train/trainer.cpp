#include "train/trainer.hpp"

#include "base/error.hpp"
#include "base/stopwatch.hpp"
#include "data/loader.hpp"
#include "mpi/together.hpp"
#include "nn/models.hpp"
#include "precision/policy.hpp"
#include "train/engine.hpp"
#include "train/evaluation.hpp"
#include "train/model_file.hpp"
#include "train/schedule.hpp"
#include "train/step.hpp"
#include "train/summary.hpp"

namespace adapt {

struct Trainer::Implementation {
  Implementation(const TrainerOptions& chosen, const DataSplits& splits,
                 const mpi::Communicator& communicator)
      : options(chosen),
        data(splits),
        ranks(communicator),
        step(chosen, splits, communicator),
        test_network(make_network(chosen, make_graph(chosen, splits, chosen.training.test_batch),
                                  step.state(), /*training=*/false)),
        schedule(make_schedule(chosen.training.schedule, scheduled_epochs(chosen.training))),
        summary(step.layers(), chosen.training.step_images(), chosen.precision.backward == "quantized") {}

  static int scheduled_epochs(const TrainingOptions& training) {
    return training.schedule.origin == "final_phase" ? training.final_epochs : training.epochs;
  }

  /// Whether the policy's final phase has lasted as long as it shall.
  [[nodiscard]] bool final_phase_over(std::int64_t epochs_done) const {
    const std::int64_t start = step.plan().final_phase;
    return start >= 0 && epochs_done >= start + options.training.final_epochs;
  }

  /// Rate at the start of 0-based step `index`.
  [[nodiscard]] double rate(std::int64_t index) const {
    const double epochs_done = static_cast<double>(index) / static_cast<double>(step.steps_per_epoch());
    return options.training.learning_rate * schedule->factor(epochs_done);
  }

  void record_step(RunLog& log, const StepOutcome& outcome) {
    Stopwatch watch;
    if (outcome.record.step % options.record.layer_interval == 0) {
      for (std::size_t i = 0; i < outcome.layers.size(); ++i) {
        log.append(static_cast<int>(i), outcome.layers[i]);
      }
    }
    for (const SwitchEvent& event : outcome.switches) {
      log.append(event);
    }
    summary.add(outcome.layers, outcome.switches);
    if (since_flush.seconds() > options.record.flush_seconds) {
      flush(log);
    }
    StepRecord record = outcome.record;
    record.seconds.record = watch.seconds();
    log.append(record);
  }

  void flush(RunLog& log) {
    log.flush();
    since_flush.lap();
  }

  /// Trains one epoch; `epoch` counts from 1.
  EpochRecord train_epoch(std::int64_t epoch, RunLog* log,
                          const std::function<void(const TrainerProgress&)>& on_step) {
    const Stopwatch watch;
    MetricSum metrics;
    EpochRecord record;
    for (std::int64_t i = 0; i < step.steps_per_epoch(); ++i) {
      const StepOutcome outcome = step.run(rate((epoch - 1) * step.steps_per_epoch() + i));
      metrics += outcome.metrics;
      progress.step = outcome.record.step;
      progress.epoch = epoch;
      progress.loss = outcome.record.cross_entropy;
      if (log != nullptr) {
        record_step(*log, outcome);
      }
      if (on_step) {
        on_step(progress);
      }
    }
    record.epoch = epoch;
    record.train_loss = metrics.mean_loss();
    record.train_accuracy = metrics.accuracy();
    record.seconds = watch.seconds();
    return record;
  }

  void record_epoch(RunLog& log, const EpochRecord& record) {
    log.append(record);
    const std::vector<ModelTensor> model = store_model(*step.state(), step.plan());
    log.write_model(model);
    if (record.test_accuracy > best_accuracy) {
      best_accuracy = record.test_accuracy;
      log.write_best_model(model, record.epoch);
    }
    flush(log);
  }

  /// Whether training ends early. All ranks agree: they know the same accuracy.
  [[nodiscard]] bool is_enough(const EpochRecord& record) const {
    const double target = options.training.target_accuracy;
    return target > 0 && record.test_accuracy >= target;
  }

  void run(RunLog* log, const std::function<void(const TrainerProgress&)>& on_step) {
    progress.steps = options.training.epochs * step.steps_per_epoch();
    std::vector<EpochRecord> epochs;
    for (std::int64_t epoch = 1; epoch <= options.training.epochs; ++epoch) {
      EpochRecord record = train_epoch(epoch, log, on_step);
      const Stopwatch watch;
      const MetricSum test = evaluate(test_network, *data.test, data.normalization, &step.plan(), ranks);
      record.test_loss = test.mean_loss();
      record.test_accuracy = test.accuracy();
      record.test_seconds = watch.seconds();
      schedule->end_epoch(record.train_loss);
      schedule->set_final_phase(static_cast<double>(step.plan().final_phase));
      progress.test_accuracy = record.test_accuracy;
      epochs.push_back(record);
      if (log != nullptr) {
        record_epoch(*log, record);
      }
      if (is_enough(record) || final_phase_over(epoch)) {
        break;
      }
    }
    if (log != nullptr) {
      log->write_summary(summary.finish(epochs));
    }
  }

  TrainerOptions options;
  DataSplits data;
  const mpi::Communicator& ranks;
  TrainingStep step;
  Network test_network;
  std::unique_ptr<Schedule> schedule;
  RunSummary summary;
  TrainerProgress progress;
  double best_accuracy = -1;  // of the best model, rank 0
  Stopwatch since_flush;
};

Trainer::Trainer(const TrainerOptions& options, const DataSplits& data, const mpi::Communicator& ranks)
    : implementation_(std::make_unique<Implementation>(options, data, ranks)) {}

Trainer::~Trainer() = default;

std::vector<LoggedLayer> Trainer::layers() const { return implementation_->step.layers(); }

void Trainer::run(RunLog* log, const std::function<void(const TrainerProgress&)>& on_step) {
  try {
    implementation_->run(log, on_step);
  } catch (const mpi::SharedError&) {
    if (log != nullptr) {
      log->flush();  // how training came to fail
    }
    throw;
  }
}

double Trainer::test_accuracy() const { return implementation_->progress.test_accuracy; }

}  // namespace adapt
