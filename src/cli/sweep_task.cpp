#include <algorithm>
#include <cstdlib>
#include <functional>
#include <optional>

#include "base/job_environment.hpp"
#include "base/log.hpp"
#include "base/process.hpp"
#include "base/stop_signal.hpp"
#include "cli/command.hpp"
#include "cli/shared_files.hpp"
#include "cli/sweep_end.hpp"
#include "cli/sweep_modes.hpp"
#include "experiment/submission.hpp"

namespace adapt::cli {
namespace {

/// Processors that Slurm gives the job on this node.
int processors_here() {
  const char* told = std::getenv("SLURM_CPUS_ON_NODE");
  const int count = told == nullptr ? 0 : std::atoi(told);
  return count > 0 ? count : static_cast<int>(own_cores().size());
}

/// One run after the other, by the launcher that the batch script found.
RunnerOptions options_of_one(const SweepArguments& arguments) {
  RunnerOptions options;
  options.launcher = words_of(arguments.launch);
  options.environment = environment_for_launcher();
  return options;
}

/// Runs side by side, each on processors of its own, as a sweep on this machine trains them: the launchers of
/// several would each take the whole job for theirs.
RunnerOptions options_of_pack(const Submission& submission) {
  const int width = submission.ranks * submission.threads;
  RunnerOptions options;
  options.jobs = submission.pack == kAutoPack ? std::max(1, processors_here() / width) : submission.pack;
  options.cores = share_cores(own_cores(), options.jobs, width);
  if (options.cores.empty()) {
    log_warning(concat("runs are bound to no processors: ", options.jobs, " of them, ", width, " each, and ",
                       own_cores().size(), " may be used"));
  }
  const bool own = submission.launch.empty();
  options.launcher =
      own ? local_launcher(submission.ranks, submission.threads, options.jobs) : words_of(submission.launch);
  options.environment = own ? environment_beside_jobs() : environment_for_launcher();
  return options;
}

/// The submission's other runs that nobody works on, those behind the task's own first, each once.
std::function<std::optional<GridRun>()> spare_runs(const RunStore& store, const Submission& submission,
                                                   int task) {
  const std::size_t count = submission.runs.size();
  const auto chunk = static_cast<std::size_t>(submission.chunk);
  const std::size_t end = (static_cast<std::size_t>(task) + 1) * chunk;
  const std::size_t others = count - std::min(chunk, count + chunk - end);
  return
      [&store, &submission, count, end, others, seen = std::size_t{0}]() mutable -> std::optional<GridRun> {
        while (seen < others) {
          GridRun run = run_of(submission.runs[(end + seen++) % count]);
          const RunState state = store.state(run.identity);
          const bool is_free = state == RunState::planned || state == RunState::resumable;
          const auto read = [&] {
            run.configuration = load_configuration(store.experiment(run.identity), {}, known_names());
          };
          if (is_free && !obstacle_to(read)) {
            return run;
          }
        }
        return std::nullopt;
      };
}

std::vector<GridRun> all_runs(const Submission& submission) {
  std::vector<GridRun> runs;
  for (const Submission::Run& run : submission.runs) {
    runs.push_back(run_of(run));
  }
  return runs;
}

}  // namespace

ExitCode run_task(const SweepArguments& arguments) {
  catch_stop_signals();
  catch_interrupt();
  const Submission submission = load_submission(arguments.store, arguments.submission);
  std::vector<GridRun> runs = runs_of_task(submission, arguments.task);
  const bool alone = submission.pack == 1;
  RunnerOptions options = alone ? options_of_one(arguments) : options_of_pack(submission);
  options.program = program_path();
  options.requeues = true;
  options.frozen = true;
  const auto read = [&](GridRun& run) {
    run.configuration = load_configuration(arguments.store.experiment(run.identity), {}, known_names());
  };
  if (submission.prune) {
    // Every task does what is to be done next, whichever runs that concerns.
    options.prune = submission.prune->metric;
    options.more = pruned_work(arguments.store, all_runs(submission), *submission.prune, read);
    runs.clear();
  } else if (!alone) {
    options.more = spare_runs(arguments.store, submission, arguments.task);
  }
  const int left = leave_hindered(runs, read, log_info);
  return finish_sweep(run_sweep(arguments.store, runs, options, log_info), left);
}

}  // namespace adapt::cli
