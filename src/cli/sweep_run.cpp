#include <algorithm>
#include <filesystem>
#include <functional>
#include <iterator>
#include <set>
#include <utility>

#include "base/log.hpp"
#include "base/stop_signal.hpp"
#include "cli/command.hpp"
#include "cli/shared_files.hpp"
#include "cli/sweep_end.hpp"
#include "cli/sweep_list.hpp"
#include "cli/sweep_modes.hpp"
#include "experiment/sweep_runner.hpp"

namespace adapt::cli {
namespace {

/// No run has more ranks than shards; mpirun would try to start them first.
void check_ranks(const SweepArguments& arguments, const std::vector<GridRun>& runs) {
  for (const GridRun& run : runs) {
    const int shards = run.configuration.training.shards;
    if (arguments.ranks > shards && arguments.store.state(run.identity) != RunState::done) {
      throw BadInput(concat("--ranks ", arguments.ranks, ": the run ", run.label, " has ", shards,
                            " shards (training.shards); expected at most as many ranks"));
    }
  }
}

/// The runs of the grid that fit the conditions and are wanted.
std::vector<GridRun> chosen_runs(const SweepArguments& arguments,
                                 const std::function<bool(const IndexEntry&)>& wanted) {
  std::set<std::string> chosen;
  for (const IndexEntry& entry : run_table(arguments.store, &*arguments.grid, arguments.where).runs) {
    if (wanted(entry)) {
      chosen.insert(entry.identity);
    }
  }
  std::vector<GridRun> runs;
  std::copy_if(arguments.grid->runs.begin(), arguments.grid->runs.end(), std::back_inserter(runs),
               [&](const GridRun& run) { return chosen.count(run.identity) != 0; });
  return runs;
}

/// Whether runs that ended by one reason are to be tried again, and no others.
bool retries_reason(const SweepArguments& arguments) {
  return !arguments.retry.empty() && arguments.retry != kRetryFailed;
}

bool is_to_do(const SweepArguments& arguments, const IndexEntry& run) {
  if (run.state == RunState::done) {
    return false;
  }
  if (arguments.retry == kRetryPruned) {
    return run.state == RunState::pruned;
  }
  return retries_reason(arguments) ? run.reason == arguments.retry
                                   : run.state != RunState::failed || !arguments.retry.empty();
}

}  // namespace

std::vector<GridRun> runs_to_do(const SweepArguments& arguments) {
  return chosen_runs(arguments, [&](const IndexEntry& run) { return is_to_do(arguments, run); });
}

RunnerOptions local_options(const SweepArguments& arguments, const std::vector<GridRun>& runs, int threads) {
  RunnerOptions options;
  options.program = program_path();
  options.jobs = arguments.jobs;
  if (arguments.launch.empty()) {
    check_ranks(arguments, runs);
    // On this machine, also from within a job: its mpirun would take the job's nodes, and a single rank
    // itself for one of the job's.
    options.launcher = local_launcher(arguments.ranks, threads, arguments.jobs);
    options.environment = environment_outside_jobs();
  } else {
    options.launcher = words_of(arguments.launch);
    options.environment = environment_for_launcher();
  }
  return options;
}

ExitCode run_here(const SweepArguments& arguments) {
  catch_stop_signals();
  catch_interrupt();
  const bool some = retries_reason(arguments);
  std::vector<GridRun> runs =
      chosen_runs(arguments, [&](const IndexEntry& run) { return !some || is_to_do(arguments, run); });
  int left = 0;
  if (!arguments.retry.empty()) {
    left = leave_hindered(
        runs, [&](const GridRun& run) { arguments.store.clear_failure(run.identity); }, log_info);
  }
  int threads = 1;
  for (const GridRun& run : runs) {
    threads = std::max(threads, run.configuration.training.threads);
  }
  RunnerOptions options = local_options(arguments, runs, threads);
  const auto& prune = arguments.grid->prune;
  if (prune) {
    options.prune = prune->metric;
    options.more =
        pruned_work(arguments.store, std::exchange(runs, {}), *prune, [](const GridRun& /*run*/) {});
  }
  return finish_sweep(run_sweep(arguments.store, runs, options, log_info), left);
}

}  // namespace adapt::cli
