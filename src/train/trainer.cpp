#include "train/trainer.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/mapped_file.hpp"
#include "base/phase.hpp"
#include "base/stopwatch.hpp"
#include "data/loader.hpp"
#include "mpi/together.hpp"
#include "nn/dead_channels.hpp"
#include "nn/models.hpp"
#include "precision/policy.hpp"
#include "train/engine.hpp"
#include "train/evaluation.hpp"
#include "train/model_file.hpp"
#include "train/schedule.hpp"
#include "train/step.hpp"
#include "train/summary.hpp"

namespace adapt {
namespace {

int scheduled_epochs(const TrainingOptions& training) {
  return training.schedule.origin == ScheduleOrigin::final_phase ? training.final_epochs : training.epochs;
}

}  // namespace

struct Trainer::Implementation {
  Implementation(const TrainerOptions& chosen, const DataSplits& splits,
                 const mpi::Communicator& communicator)
      : options(chosen),
        data(splits),
        ranks(communicator),
        step(chosen, splits, communicator),
        schedule(make_schedule(chosen.training.schedule, scheduled_epochs(chosen.training))),
        summary(step.layers(), chosen.training.step_images(),
                chosen.precision.backward == Backward::quantized) {
    make_test_networks();
  }

  void make_test_networks() {
    const Graph graph = make_graph(options, data, options.training.test_images());
    test_networks.resize(static_cast<std::size_t>(step.workers().size()));
    step.workers().run([&](int worker) {
      test_networks[static_cast<std::size_t>(worker)] = std::make_unique<Network>(
          make_network(options, graph, step.workers().state(worker), /*training=*/false));
    });
  }

  TrainingEnd run(const TrainerFiles& chosen_files,
                  const std::function<void(const TrainerProgress&)>& on_step, std::int64_t chosen_until);
  void train_epoch(const std::function<void(const TrainerProgress&)>& on_step);
  void end_epoch();
  void record_step(const StepOutcome& outcome);
  void flush();
  void say_integer_share() const;
  void warn_of_dead_channels(const StepOutcome& outcome);
  [[nodiscard]] bool over() const;
  [[nodiscard]] bool is_to_pause() const;
  [[nodiscard]] double rate(std::int64_t index) const;

  void write_checkpoint(bool best);
  [[nodiscard]] bool due(bool best) const;
  [[nodiscard]] Checkpoint checkpoint() const;
  void restore(const Checkpoint& checkpoint);
  void check_model(const std::vector<ModelTensor>& tensors) const;

  TrainerOptions options;
  DataSplits data;
  const mpi::Communicator& ranks;
  TrainingStep step;
  std::vector<std::unique_ptr<Network>> test_networks;  // by thread
  std::unique_ptr<Schedule> schedule;
  RunSummary summary;                   // rank 0
  std::optional<double> integer_share;  // of the last step; rank 0
  std::vector<bool> half_dead;          // layers of which that was said; rank 0
  TrainerFiles files;
  std::int64_t until = 0;  // the epoch to stop behind for now; 0: none
  TrainerProgress progress;

  std::vector<EpochRecord> epochs;  // done, evaluation included
  MetricSum metrics;                // of the running epoch
  double seconds = 0;               // of the running epoch
  Stopwatch epoch_watch;
  Stopwatch since_flush;
  double best_accuracy = -1;
  std::int64_t best_epoch = 0;
  std::vector<ModelTensor> model;       // after the last epoch; rank 0
  std::vector<ModelTensor> best_model;  // after the best one; rank 0
};

/// Whether training has come to its end. All ranks agree: they know the same accuracy and plan.
bool Trainer::Implementation::over() const {
  const auto done = static_cast<std::int64_t>(epochs.size());
  const double target = options.training.target_accuracy;
  const std::int64_t final_phase = step.plan().final_phase;
  const bool reached = target > 0 && done > 0 && epochs.back().test_accuracy >= target;
  const bool final_phase_over = final_phase >= 0 && done >= final_phase + options.training.final_epochs;
  return done >= options.training.epochs || reached || final_phase_over;
}

/// Rate at the start of 0-based step `index`.
double Trainer::Implementation::rate(std::int64_t index) const {
  const double epochs_done = static_cast<double>(index) / static_cast<double>(step.steps_per_epoch());
  return options.training.learning_rate * schedule->factor(epochs_done);
}

void Trainer::Implementation::record_step(const StepOutcome& outcome) {
  phase::begin("record");
  Stopwatch watch;
  RunLog& log = *files.log;
  if (outcome.record.step % options.record.layer_interval == 0) {
    for (std::size_t i = 0; i < outcome.layers.size(); ++i) {
      log.append(static_cast<int>(i), outcome.layers[i]);
    }
    warn_of_dead_channels(outcome);
  }
  for (const SwitchEvent& event : outcome.switches) {
    log.append(event);
  }
  summary.add(outcome.layers, outcome.switches);
  integer_share = outcome.record.integer_share;
  if (since_flush.seconds() > options.record.flush_seconds) {
    flush();
  }
  StepRecord record = outcome.record;
  record.seconds.record = watch.seconds();
  log.append(record);
}

void Trainer::Implementation::flush() {
  if (files.log != nullptr) {
    files.log->flush();
    since_flush.lap();
  }
}

/// Whether the epoch is over behind which training stops for now.
bool Trainer::Implementation::is_to_pause() const {
  return until > 0 && static_cast<std::int64_t>(epochs.size()) >= until;
}

/// Trains to the end of the running epoch.
void Trainer::Implementation::train_epoch(const std::function<void(const TrainerProgress&)>& on_step) {
  const auto epoch = static_cast<std::int64_t>(epochs.size()) + 1;
  const std::int64_t last = epoch * step.steps_per_epoch();
  epoch_watch.lap();
  while (step.steps() < last) {
    const StepOutcome outcome = step.run(rate(step.steps()));
    metrics += outcome.metrics;
    progress.step = outcome.record.step;
    progress.epoch = epoch;
    progress.loss = outcome.record.cross_entropy;
    if (files.log != nullptr) {
      record_step(outcome);
    }
    if (on_step) {
      on_step(progress);
    }
    seconds += epoch_watch.lap();
    if (step.steps() < last && due(/*best=*/false)) {
      write_checkpoint(/*best=*/false);
    }
  }
}

/// Evaluates, and closes the books of the epoch.
void Trainer::Implementation::end_epoch() {
  EpochRecord record;
  record.epoch = static_cast<std::int64_t>(epochs.size()) + 1;
  record.train_loss = metrics.mean_loss();
  record.train_accuracy = metrics.accuracy();
  record.seconds = seconds;
  const Stopwatch watch;
  const MetricSum test =
      evaluate(step.workers(), test_networks, *data.test, data.normalization, &step.plan(), ranks);
  record.test_loss = test.mean_loss();
  record.test_accuracy = test.accuracy();
  record.test_seconds = watch.seconds();
  mpi::together(ranks, [] { MappedFile::check_all(); });  // before anything of the epoch is kept
  schedule->end_epoch(record.train_loss);
  schedule->set_final_phase(static_cast<double>(step.plan().final_phase));
  progress.test_accuracy = record.test_accuracy;
  epochs.push_back(record);
  metrics = MetricSum();
  seconds = 0;
  const bool best = record.test_accuracy > best_accuracy;
  if (best) {
    best_accuracy = record.test_accuracy;
    best_epoch = record.epoch;
  }
  if (files.log != nullptr) {
    files.log->append(record);
    model = store_model(*step.state(), step.plan());
    files.log->write_model(model);
    if (best) {
      best_model = model;
      files.log->write_best_model(best_model, best_epoch);
    }
  }
  if (due(best) || (is_to_pause() && !over())) {
    write_checkpoint(best);
  } else {
    flush();
  }
}

TrainingEnd Trainer::Implementation::run(const TrainerFiles& chosen_files,
                                         const std::function<void(const TrainerProgress&)>& on_step,
                                         std::int64_t chosen_until) {
  files = chosen_files;
  until = chosen_until;
  progress.steps = options.training.epochs * step.steps_per_epoch();
  try {
    while (!over()) {
      if (is_to_pause()) {
        return TrainingEnd::stopped;
      }
      train_epoch(on_step);
      end_epoch();
    }
  } catch (const mpi::SharedError& error) {
    if (error.code() != ExitCode::stopped || step.steps() == 0) {
      throw;
    }
    write_checkpoint(/*best=*/false);  // a step or an evaluation that was left is done again
    return TrainingEnd::stopped;
  }
  if (files.log != nullptr) {
    std::map<std::string, double> figures = summary.finish(epochs);
    figures["dead_channels"] = std::ranges::max(dead_channels(*step.state(), step.layers().size()));
    files.log->write_summary(figures);
    say_integer_share();
  }
  return TrainingEnd::done;
}

/// Once for each layer that has come to work with less than half of its channels.
void Trainer::Implementation::warn_of_dead_channels(const StepOutcome& outcome) {
  half_dead.resize(outcome.layers.size(), false);
  for (std::size_t i = 0; i < outcome.layers.size(); ++i) {
    const double dead = outcome.layers[i].dead_channels;
    if (dead > 0.5 && !half_dead[i]) {
      half_dead[i] = true;
      log_warning(concat("layer '", step.graph().layers[i].name, "' has lost ", std::round(100 * dead),
                         " % of its channels at step ", outcome.record.step,
                         ": their weights or batch-norm scales are below 1/256 of its largest"));
    }
  }
}

/// A run that was to be in integers says whether it was.
void Trainer::Implementation::say_integer_share() const {
  if (integer_share && choose_arithmetic(options) == Arithmetic::integer) {
    const double tenths = std::round(1000 * *integer_share);
    log_info(concat("multiply-adds in exact integers: ", tenths / 10, " % of the last step's"));
  }
}

/// Whether the settings ask for a checkpoint at this step; `best`: after the best epoch so far.
bool Trainer::Implementation::due(bool best) const {
  const CheckpointOptions& intervals = options.checkpoint;
  const bool by_steps = intervals.interval_steps > 0 && step.steps() % intervals.interval_steps == 0;
  const bool by_epochs = intervals.interval_epochs > 0 &&
                         step.steps() % (intervals.interval_epochs * step.steps_per_epoch()) == 0;
  return by_steps || by_epochs || (best && intervals.any());
}

/// Collective: where rank 0 cannot write, all know.
void Trainer::Implementation::write_checkpoint(bool best) {
  step.collect_state();
  mpi::together(ranks, [&] {
    flush();  // first: no checkpoint may be ahead of the log
    if (files.checkpoints != nullptr) {
      files.checkpoints->write(checkpoint(), best);
    }
  });
}

Checkpoint Trainer::Implementation::checkpoint() const {
  StateWriter writer;
  writer.put_all(std::span<const std::byte>(step.save_state()));
  writer.put_all(std::span<const EpochRecord>(epochs));
  writer.put(metrics);
  writer.put(seconds);
  writer.put(best_accuracy);
  writer.put_all(std::span<const std::byte>(summary.save_state()));
  schedule->save_state(writer);
  return {.identity = {},  // the folder's
          .step = step.steps(),
          .epochs = static_cast<std::int64_t>(epochs.size()),
          .best_epoch = best_epoch,
          .model = model,
          .best_model = best_model,
          .state = writer.take()};
}

/// Throws BadInput unless the tensors, if there are any, are those of the trained model.
void Trainer::Implementation::check_model(const std::vector<ModelTensor>& tensors) const {
  const std::vector<ModelTensor> own = store_model(*step.state(), step.plan());
  const bool same = std::equal(
      tensors.begin(), tensors.end(), own.begin(), own.end(),
      [](const ModelTensor& a, const ModelTensor& b) { return a.name == b.name && a.dims == b.dims; });
  if (!tensors.empty() && !same) {
    throw BadInput("saved state: its model has other tensors: the checkpoint belongs to another model");
  }
}

void Trainer::Implementation::restore(const Checkpoint& checkpoint) {
  StateReader reader(checkpoint.state);
  const std::size_t most = checkpoint.state.size();
  step.restore_state(reader.get_all<std::byte>(0, most));
  epochs = reader.get_all<EpochRecord>(0, most);
  metrics = reader.get<MetricSum>();
  seconds = reader.get<double>();
  best_accuracy = reader.get<double>();
  summary.restore_state(reader.get_all<std::byte>(0, most));
  schedule->restore_state(reader);
  reader.finish();
  const auto done = static_cast<std::int64_t>(epochs.size());
  const std::int64_t of_epoch = step.steps() - done * step.steps_per_epoch();
  if (step.steps() != checkpoint.step || done != checkpoint.epochs || of_epoch < 0 ||
      of_epoch > step.steps_per_epoch()) {
    throw BadInput(concat("saved state: step ", step.steps(), " after ", done, " epochs of ",
                          step.steps_per_epoch(), " steps: the checkpoint belongs to other data"));
  }
  check_model(checkpoint.model);
  check_model(checkpoint.best_model);
  progress.step = step.steps();
  progress.epoch = done + 1;
  progress.test_accuracy.reset();
  if (!epochs.empty()) {
    progress.test_accuracy = epochs.back().test_accuracy;
  }
  best_epoch = checkpoint.best_epoch;
  model = checkpoint.model;
  best_model = checkpoint.best_model;
}

Trainer::Trainer(const TrainerOptions& options, const DataSplits& data, const mpi::Communicator& ranks)
    : implementation_(std::make_unique<Implementation>(options, data, ranks)) {}

Trainer::~Trainer() = default;

std::vector<LoggedLayer> Trainer::layers() const { return implementation_->step.layers(); }

std::uintmax_t Trainer::largest_checkpoint() const {
  // Names, and what grows with the steps: rows of epochs, precision switches.
  constexpr std::uintmax_t kBase = std::uintmax_t{1} << 28U;
  // Last and best model, masters, velocities, a policy's window, and as many again.
  constexpr std::uintmax_t kCopies = 10;
  const TrainerOptions& options = implementation_->options;
  const int residuals = options.exchange.error_feedback ? options.training.step_shards() : 0;
  const int epochs = options.precision.name == Policy::muppet ? options.precision.muppet.resolution : 0;
  std::uintmax_t numbers = 0;
  for (const Parameter& parameter : implementation_->step.state()->parameters) {
    numbers += parameter.master.size();
  }
  return kBase + (kCopies + static_cast<std::uintmax_t>(residuals + epochs)) * numbers * sizeof(float);
}

void Trainer::restore(const Checkpoint& checkpoint) { implementation_->restore(checkpoint); }

TrainingEnd Trainer::run(const TrainerFiles& files,
                         const std::function<void(const TrainerProgress&)>& on_step, std::int64_t until) {
  try {
    return implementation_->run(files, on_step, until);
  } catch (const mpi::SharedError& error) {
    if (files.log != nullptr) {
      try {
        files.log->flush();  // how training came to fail
      } catch (const Error& second) {
        log_warning(second.what());
      }
    }
    if (files.checkpoints != nullptr && files.checkpoints->last_step() >= 0) {
      throw mpi::SharedError(error.code(),
                             concat(error.what(), "; the checkpoint of step ", files.checkpoints->last_step(),
                                    " is kept in ", files.checkpoints->path()),
                             error.cause());
    }
    throw;
  }
}

double Trainer::test_accuracy() const { return implementation_->progress.test_accuracy.value_or(0); }

}  // namespace adapt
