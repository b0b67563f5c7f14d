#include <cstdio>
#include <filesystem>
#include <optional>
#include <system_error>

#include "base/log.hpp"
#include "base/memory.hpp"
#include "base/phase.hpp"
#include "base/progress.hpp"
#include "base/stop_signal.hpp"
#include "base/terminal.hpp"
#include "base/threads.hpp"
#include "cli/command.hpp"
#include "cli/machines.hpp"
#include "cli/memory_check.hpp"
#include "cli/node_data.hpp"
#include "cli/parallel.hpp"
#include "cli/resume.hpp"
#include "cli/setup.hpp"
#include "cli/train_arguments.hpp"
#include "cli/tuning.hpp"
#include "experiment/claim.hpp"
#include "experiment/frozen.hpp"
#include "experiment/report.hpp"
#include "mpi/together.hpp"
#include "mpi/watchdog.hpp"
#include "nn/models.hpp"

namespace adapt::cli {
namespace {

void refuse_occupied(const std::filesystem::path& run_dir, const CheckpointFolder& checkpoints) {
  if (std::filesystem::exists(run_dir / "run.h5") || !checkpoints.empty()) {
    throw BadInput(concat(run_dir,
                          " already holds a run; choose another --out, or pass --resume to go on with it, or "
                          "--overwrite to replace it"));
  }
}

std::string note_of(const TrainerProgress& progress, int epochs) {
  char text[96];
  const int length = std::snprintf(text, sizeof text, "epoch %lld/%d loss %.4f",
                                   static_cast<long long>(progress.epoch), epochs, progress.loss);
  std::string note(text, static_cast<std::size_t>(length));
  if (progress.test_accuracy) {
    std::snprintf(text, sizeof text, " test %.2f %%", 100 * *progress.test_accuracy);
    note += text;
  }
  return note;
}

/// Everything that bad input can stop, before any rank starts to train.
struct Prepared {
  Configuration configuration;
  std::filesystem::path run_dir;
  std::optional<HeldClaim> claim;  // rank 0
  DataSplits data;
  std::optional<LinkCosts> links;
  std::optional<Trainer> trainer;
  std::optional<CheckpointFolder> checkpoints;
  std::map<std::string, std::string> machines;
  std::optional<RunLog> log;  // rank 0
  ResumePoint from;
};

/// What is to be done, as every rank reads it.
void read(const TrainArguments& arguments, Prepared& run) {
  phase::begin("configuration");
  run.configuration = load_configuration(arguments.experiment, arguments.overrides, known_names());
  mpi::set_timeout(run.configuration.mpi.timeout_s);
}

/// A run that starts from another one's model does not take that one's place: --resume would not find it any
/// more.
void refuse_own_weights(const Prepared& run) {
  const std::filesystem::path weights = run.configuration.model.weights;
  std::error_code missing;
  if (!weights.empty() && (std::filesystem::equivalent(weights, run.run_dir, missing) ||
                           std::filesystem::equivalent(weights, run.run_dir / "run.h5", missing))) {
    throw BadInput(concat("model.weights, ", weights.string(),
                          ", is the run that --overwrite would replace; expected another --out"));
  }
}

/// A folder that holds another run, or that somebody else works in, is refused.
void refuse_taken(const TrainArguments& arguments, const Prepared& run) {
  if (!arguments.resume) {
    refuse_own_weights(run);
  }
  refuse_claimed(run.run_dir, arguments.claim);
  if (!arguments.overwrite && !arguments.resume) {
    refuse_occupied(run.run_dir, *run.checkpoints);
  }
}

/// With what, and where to. The data come later.
void check_place(const TrainArguments& arguments, const mpi::Communicator& ranks, const NodeRanks& node,
                 Prepared& run) {
  run.run_dir = arguments.out.empty() ? std::filesystem::path("runs") / run.configuration.name
                                      : std::filesystem::path(arguments.out);
  run.checkpoints.emplace(run.run_dir, run_identity(run.configuration), run.configuration.checkpoint.keep);
  if (ranks.rank() == 0) {
    refuse_taken(arguments, run);  // in vain otherwise, after minutes of data
  }
  set_threads(run.configuration.training.threads);
  check_training_memory(arguments.experiment, run.configuration, ranks.size(), node);
  phase::begin("load");
  check_stop();
}

/// With the data that are there now.
void build(const TrainArguments& arguments, const mpi::Communicator& ranks, Prepared& run) {
  if (!arguments.frozen.empty() && ranks.rank() == 0) {
    check_frozen(arguments.frozen, run.data);
  }
  phase::begin("build");
  check_stop();
  TrainerOptions options = trainer_options(run.configuration);
  options.exchange.links = run.links;
  run.trainer.emplace(options, run.data, ranks);
}

/// Rank 0: from here on nobody else writes into the run's folder.
void claim_folder(const TrainArguments& arguments, Prepared& run) {
  if (!arguments.claim.empty() && !has_claim(run.run_dir, arguments.claim)) {
    throw BadInput(concat("there is no claim ", arguments.claim, " in ", run.run_dir,
                          "; expected that of the adapt sweep which started this training"));
  }
  std::error_code error;
  std::filesystem::create_directories(run.run_dir, error);
  if (error) {
    throw MachineFailure(concat("cannot prepare run folder ", run.run_dir, ": ", error.message()));
  }
  run.claim.emplace(HeldClaim::take_or_refuse(run.run_dir, arguments.claim));
  if (!arguments.overwrite && !arguments.resume) {
    refuse_occupied(run.run_dir, *run.checkpoints);
  }
}

/// Rank 0: the log, from the beginning or from the checkpoint on.
void open_log(const mpi::Communicator& ranks, Prepared& run) {
  const std::string configuration = resolved_yaml(run.configuration);
  auto provenance = run_provenance(run.configuration, run.data, ranks);
  provenance.merge(run.machines);
  if (!run.from.checkpoint) {
    run.checkpoints->clear();
    run.log.emplace(run.run_dir, configuration, provenance, run.trainer->layers(),
                    model_text(run.configuration.model));
    return;
  }
  const Checkpoint& checkpoint = *run.from.checkpoint;
  note_resumption(provenance, run.from);
  run.log.emplace(run.run_dir, configuration, provenance, run.trainer->layers(),
                  Continuation{*run.from.earlier, checkpoint.step, checkpoint.epochs},
                  model_text(run.configuration.model));
  run.from.earlier.reset();
  run.log->write_model(checkpoint.model);
  if (checkpoint.best_epoch > 0) {
    run.log->write_best_model(checkpoint.best_model, checkpoint.best_epoch);
  }
  log_info(concat("resumes ", run.run_dir, " after step ", checkpoint.step));
}

/// What a checkpoint holds that cannot be gone on from is bad input, whoever notices.
void restore(Prepared& run) {
  try {
    run.trainer->restore(*run.from.checkpoint);
  } catch (const Error& error) {
    throw BadInput(concat("cannot resume ", run.run_dir, " from its checkpoint of step ",
                          run.from.checkpoint->step, ": ", error.what()));
  }
}

void prepare(const TrainArguments& arguments, const mpi::Communicator& ranks, Prepared& run) {
  mpi::together(ranks, [&] { read(arguments, run); });
  mpi::agree(ranks, configuration_facts(run.configuration), "the same experiment on every rank");
  const NodeRanks node = ranks_of_node(ranks);
  mpi::together(ranks, [&] { check_place(arguments, ranks, node, run); });
  run.data = open_on_nodes(run.configuration.data, run.configuration.seed, ranks);
  if (!run.configuration.exchange.algorithm && ranks.size() > 2) {
    run.links = measure_links(ranks);
  }
  mpi::together(ranks, [&] { build(arguments, ranks, run); });
  agree_on_data(ranks, run.data);
  run.machines = rank_provenance(ranks, run.configuration);
  mpi::together(ranks, [&] {
    if (ranks.rank() == 0) {
      claim_folder(arguments, run);
    }
  });
  if (arguments.resume) {
    mpi::together(ranks, [&] {
      phase::begin("resume");
      if (ranks.rank() == 0) {
        run.from = find_resume_point(run.run_dir, run.configuration, run.data, *run.checkpoints,
                                     run.trainer->largest_checkpoint());
      }
    });
    broadcast(run.from, ranks);
  }
  if (run.from.done) {
    return;
  }
  mpi::together(ranks, [&] {
    check_stop();
    if (run.from.checkpoint) {
      restore(run);
    }
    if (ranks.rank() == 0) {
      open_log(ranks, run);
    }
    if (run.from.checkpoint) {  // what training has taken over need not stay
      run.from.checkpoint->model.clear();
      run.from.checkpoint->best_model.clear();
      run.from.checkpoint->state = {};
    }
  });
}

TrainingEnd train_to_the_end(Prepared& run, const mpi::Communicator& ranks, std::int64_t until) {
  const TrainingOptions& training = run.configuration.training;
  const std::int64_t step_images = training.step_images();
  const std::int64_t images = training.epochs * (run.data.train->size() / step_images) * step_images;
  const std::int64_t done = run.from.checkpoint ? run.from.checkpoint->step * step_images : 0;
  Progress bar(run.configuration.name, images, "images", done);
  TrainerProgress last;
  const bool keeps = ranks.rank() == 0;
  const TrainerFiles files = {keeps ? &*run.log : nullptr, keeps ? &*run.checkpoints : nullptr};
  const auto on_step = [&](const TrainerProgress& progress) {
    last = progress;
    bar.update(progress.step * step_images, note_of(progress, training.epochs));
  };
  const TrainingEnd end = run.trainer->run(files, on_step, until);
  if (end == TrainingEnd::stopped) {
    return end;
  }
  if (keeps) {
    run.log->finish();
  }
  last.test_accuracy = run.trainer->test_accuracy();
  bar.finish(note_of(last, training.epochs));
  return end;
}

/// Trains, and says how that ended.
ExitCode train_prepared(Prepared& run, const mpi::Communicator& ranks, std::int64_t until) {
  if (run.from.done) {
    log_info(concat(run.run_dir, " is complete: nothing to resume"));
    return ExitCode::done;
  }
  if (train_to_the_end(run, ranks, until) == TrainingEnd::stopped) {
    log_info(concat("stopped ", until > 0 && !stop_requested() ? "as asked" : "by a signal",
                    " after the checkpoint of step ", run.checkpoints->last_step(),
                    "; --resume goes on from it"));
    return ExitCode::stopped;
  }
  log_info(concat("wrote ", (run.run_dir / "run.h5").string()));
  return ExitCode::done;
}

/// One rank's part of a training.
ExitCode train_on(const TrainArguments& arguments, const mpi::Communicator& ranks) {
  mpi::together(ranks, [&] { begin_tuning(arguments.tune, ranks); });
  Prepared run;
  prepare(arguments, ranks, run);
  const ExitCode code = train_prepared(run, ranks, arguments.until);
  end_tuning(ranks);
  // A launcher may return with the first rank that has ended: the folder is free by then.
  mpi::together(ranks, [&] { run.claim.reset(); });
  return code;
}

/// Writes the report of a failure, which stays the one that is thrown where that is not possible.
void note_failure(const std::filesystem::path& report, const mpi::Ending& ending) {
  try {
    report_failure(report, {static_cast<int>(ending.code), ending.message, ending.cause});
  } catch (const Failure& error) {
    log_warning(error.what());
  }
}

/// Notes in the file of --report that the training began, and why it failed by itself, or why this machine
/// cannot begin it.
ExitCode train_and_report(const TrainArguments& arguments, const mpi::Communicator& ranks) {
  catch_stop_signals();  // again, whatever MPI has done with signals
  if (arguments.report.empty()) {
    return train_on(arguments, ranks);
  }
  mpi::together(ranks, [&] {
    if (ranks.rank() == 0) {
      report_begin(arguments.report);
    }
  });
  try {
    return train_on(arguments, ranks);
  } catch (const std::exception& error) {
    const bool shared = dynamic_cast<const mpi::SharedError*>(&error) != nullptr;
    const mpi::Ending ending = mpi::attempt([] { throw; });
    // What the machine fails at in between is not noted, nor can it always be: the disk may be full.
    const bool is_said = ending.code == ExitCode::bad_input ||
                         (ending.code == ExitCode::failed && ending.cause != Cause::machine);
    if (is_said && (!shared || ranks.rank() == 0)) {
      note_failure(arguments.report, ending);
    }
    throw;
  }
}

}  // namespace

ExitCode train(const std::vector<std::string>& arguments) {
  const auto parsed = parse_train(arguments);
  if (!parsed) {
    return ExitCode::done;
  }
  if (parsed->check) {
    refuse_ranks("adapt train --check");
    const Configuration configuration =
        load_configuration(parsed->experiment, parsed->overrides, known_names());
    const MemoryEstimate memory = estimate_of(configuration);
    print_text(concat("# identity: ", run_identity(configuration),
                      "\n# memory of one rank alone, estimated: ", bytes_text(total(memory)), " (",
                      parts_text(memory), ")\n", resolved_yaml(configuration)));
    return ExitCode::done;
  }
  catch_stop_signals();  // before MPI starts: from here on a signal is heard at any time
  return run_parallel(task_of(*parsed),
                      [&](const mpi::Communicator& ranks) { return train_and_report(*parsed, ranks); });
}

}  // namespace adapt::cli
