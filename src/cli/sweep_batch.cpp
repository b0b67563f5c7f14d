#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "base/file.hpp"
#include "base/log.hpp"
#include "base/shell.hpp"
#include "base/terminal.hpp"
#include "cli/command.hpp"
#include "cli/shared_files.hpp"
#include "cli/sweep_demand.hpp"
#include "cli/sweep_modes.hpp"
#include "experiment/batch.hpp"
#include "experiment/frozen.hpp"
#include "experiment/slurm_queue.hpp"
#include "experiment/tending.hpp"

namespace adapt::cli {
namespace {

std::string batch_template() {
  const std::string path = shared_path("slurm/sweep.sbatch");
  if (path.empty()) {
    throw Failure("cannot find slurm/sweep.sbatch in the source tree or installation of " + program_path());
  }
  return read_text(path, kSmallFile);
}

/// Paths in a batch script are absolute: a job may start anywhere.
RunStore absolute(const RunStore& store) {
  return RunStore(std::filesystem::absolute(store.path()).lexically_normal());
}

int threads_of(const Grid& grid) {
  int most = 1;
  for (const GridRun& run : grid.runs) {
    most = std::max(most, run.configuration.training.threads);
  }
  if (grid.slurm.threads > 0 && grid.slurm.threads < most) {
    throw BadInput(concat("slurm.threads is ", grid.slurm.threads, ", and training.threads goes up to ", most,
                          "; expected at least as many"));
  }
  return std::max(most, grid.slurm.threads);
}

Batch batch_of(const SweepArguments& arguments, const Submission& submission) {
  const RunStore store = absolute(arguments.store);
  return make_batch(batch_template(), store, submission, arguments.grid->slurm, threads_of(*arguments.grid),
                    frozen_program(store, program_path()).path);
}

/// Says how many runs are left as they are because of something in their own way.
ExitCode say_left(int left) {
  if (left > 0) {
    print_line(concat(left, left == 1 ? " run is" : " runs are", " not submitted"));
  }
  return left > 0 ? ExitCode::failed : ExitCode::done;
}

/// Runs of a task.
int chunk_of(std::size_t runs, const SlurmOptions& slurm) {
  return chunk_size(runs, std::max(slurm.chunk, slurm.pack), max_array_size(slurm));
}

/// A submission as it would be, for --dry-run.
Submission imagined(const SweepArguments& arguments, const std::vector<GridRun>& runs) {
  Submission submission;
  submission.id = arguments.grid->name + "-1";
  submission.chunk = chunk_of(runs.size(), arguments.grid->slurm);
  for (const GridRun& run : runs) {
    submission.runs.push_back({run.identity, run.label});
  }
  return submission;
}

/// Takes out what somebody works on, or is going to. Throws Failure where Slurm does not tell.
std::vector<GridRun> untended(const RunStore& store, std::vector<GridRun> runs, const Tending& tending) {
  for (const GridRun& run : runs) {
    if (const auto unsure = tending.unsure.find(run.identity); unsure != tending.unsure.end()) {
      throw Failure(concat("Slurm does not tell whether ", run.label,
                           ", submitted before, is still in the queue: ", unsure->second,
                           "; expected an answer before it is submitted again"));
    }
  }
  const std::size_t queued =
      std::erase_if(runs, [&](const GridRun& run) { return tending.tended.count(run.identity) != 0; });
  if (queued > 0) {
    log_info(concat(queued, queued == 1 ? " run is" : " runs are", " in the queue already"));
  }
  std::erase_if(runs, [&](const GridRun& run) { return store.state(run.identity) == RunState::running; });
  return runs;
}

/// Whether pruning has anything to do; where there is none, there always is.
bool is_worth_it(const RunStore& store, const Grid& grid) {
  return !grid.prune || pruned_work(store, grid.runs, *grid.prune, [](const GridRun& /*run*/) {})();
}

/// And those that the runs are compared with at the rungs: all others that have begun.
std::vector<GridRun> with_rivals(const RunStore& store, const Grid& grid, std::vector<GridRun> runs) {
  std::set<std::string> known;
  for (const GridRun& run : runs) {
    known.insert(run.identity);
  }
  for (const GridRun& run : grid.runs) {
    if (known.count(run.identity) == 0 && rungs_of(store.folder(run.identity))) {
      runs.push_back(run);
    }
  }
  return runs;
}

/// Notes what data the runs are submitted with; takes out those whose folders are in the way, as
/// leave_hindered().
int leave_unfrozen(const RunStore& store, std::vector<GridRun>& runs) {
  std::map<std::string, FrozenData> data;
  const std::vector<FrozenData> frozen = freeze_data(runs);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    data.emplace(runs[i].identity, frozen[i]);
  }
  return leave_hindered(
      runs, [&](const GridRun& run) { write_frozen(store, run.identity, data.at(run.identity)); }, log_info);
}

}  // namespace

ExitCode dry_run(const SweepArguments& arguments) {
  const std::vector<GridRun> runs = runs_to_do(arguments);
  if (runs.empty()) {
    print_line("nothing to do");
    return ExitCode::done;
  }
  const RunnerOptions options = local_options(arguments, runs, threads_of(*arguments.grid));
  print_line(concat("--run would start, ", arguments.jobs, " at a time:"));
  for (const GridRun& run : runs) {
    print_line(concat("  ", shell_line(training_command(arguments.store, run, options)), "  # ", run.label));
  }
  for (const std::string& line : estimate_lines(arguments, runs)) {
    print_line(line);
  }
  const Submission submission = imagined(arguments, runs);
  const Batch batch = batch_of(arguments, submission);
  print_line(concat("--submit would hand ", submission.tasks(), " tasks of at most ", submission.chunk,
                    " runs to Slurm, by:"));
  const std::filesystem::path script = submission_path(absolute(arguments.store), submission.id, ".sbatch");
  print_line("  " + shell_line(sbatch_command(batch, script)));
  if (const std::string answer = test_only(batch); !answer.empty()) {
    print_line(concat("sbatch --test-only says: ", answer));
  }
  print_text(concat("the script:\n\n", batch.script));
  return ExitCode::done;
}

ExitCode submit_runs(const SweepArguments& arguments) {
  const Grid& grid = *arguments.grid;
  const int threads = threads_of(grid);
  const std::string base = batch_template();
  const RunStore store = absolute(arguments.store);
  check_store_path(store);
  Tending tending = look_after(store);
  if (const int count = requeue_noted(store, tending); count > 0) {
    print_line(concat(count, count == 1 ? " task returns" : " tasks return", " to the queue"));
  }
  note_ends(store, grid.runs, tending);
  std::vector<GridRun> runs = untended(store, runs_to_do(arguments), tending);
  if (runs.empty() || !is_worth_it(store, grid)) {
    print_line("nothing to submit");
    return ExitCode::done;
  }
  check_fits(grid, runs);
  for (const std::string& line : estimate_lines(arguments, runs)) {
    log_info(line);
  }
  make_submissions_folder(store);
  const auto prepare = [&](const GridRun& run) {
    store.clear_failure(run.identity);
    store.prepare(run.identity, run.configuration);
  };
  const int left = leave_hindered(runs, prepare, log_info) + leave_unfrozen(store, runs);
  if (runs.empty()) {
    return say_left(left);
  }
  const FrozenProgram program = frozen_program(store, program_path());
  // First the submission, then the copy that it names: --clean removes none that somebody is about to need.
  const int chunk = chunk_of(runs.size(), grid.slurm);
  Submission submission =
      freeze(store, grid, grid.prune ? with_rivals(store, grid, runs) : runs, chunk, threads, program.sha256);
  copy_program(program, program_path());
  const Batch batch = make_batch(base, store, submission, grid.slurm, threads, program.path);
  submission.job = submit(batch, submission_path(store, submission.id, ".sbatch"));
  save(store, submission);
  print_line(concat("submitted job ", submission.job, ": ", runs.size(), runs.size() == 1 ? " run" : " runs",
                    " in ", submission.tasks(), " tasks, submission ", submission.id));
  return say_left(left);
}

}  // namespace adapt::cli
