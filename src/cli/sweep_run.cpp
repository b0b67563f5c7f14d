#include <algorithm>
#include <filesystem>
#include <functional>
#include <iterator>
#include <set>
#include <sstream>

#include "base/log.hpp"
#include "base/stop_signal.hpp"
#include "base/terminal.hpp"
#include "cli/command.hpp"
#include "cli/shared_files.hpp"
#include "cli/sweep_list.hpp"
#include "cli/sweep_modes.hpp"
#include "experiment/submission.hpp"
#include "experiment/sweep_runner.hpp"

namespace adapt::cli {
namespace {

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) {
    words.push_back(word);
  }
  return words;
}

/// "6 runs: 4 done (1 before), 1 failed, 1 running elsewhere".
std::string describe(const SweepResult& result) {
  std::string text;
  const auto add = [&](int count, const char* what) {
    if (count > 0) {
      text += concat(text.empty() ? "" : ", ", count, " ", what);
    }
  };
  add(result.done, "done");
  add(result.done_before, "done before");
  add(result.failed, "failed");
  add(result.failed_before, "failed before (--retry failed tries them again)");
  add(result.stopped, "stopped, to be resumed");
  add(result.interrupted, "interrupted, to be resumed");
  add(result.elsewhere, "running elsewhere");
  add(result.unfit, "left, each for its own reason");
  add(result.left, "left as they are");
  return text.empty() ? "nothing to do" : text;
}

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

/// `left`: runs that were left before the others began.
ExitCode finish(SweepResult result, int left) {
  result.unfit += left;
  print_line(describe(result));
  if (!result.hindrance.empty()) {
    log_error(concat("the sweep stops, as no run could go on here: ", result.hindrance));
    return ExitCode::failed;
  }
  if (result.stopped + result.interrupted + result.left > 0) {
    return ExitCode::stopped;
  }
  return result.failed + result.failed_before + result.unfit > 0 ? ExitCode::failed : ExitCode::done;
}

void catch_signals() {
  catch_stop_signals();
  catch_interrupt();
}

SweepResult train(const RunStore& store, const std::vector<GridRun>& runs, const RunnerOptions& options) {
  return run_sweep(store, runs, options, log_info);
}

/// The runs of the grid that fit the conditions and whose state is as wanted.
std::vector<GridRun> chosen_runs(const SweepArguments& arguments,
                                 const std::function<bool(RunState)>& wanted) {
  std::set<std::string> chosen;
  for (const IndexEntry& entry : run_table(arguments.store, &*arguments.grid, arguments.where).runs) {
    if (wanted(entry.state)) {
      chosen.insert(entry.identity);
    }
  }
  std::vector<GridRun> runs;
  std::copy_if(arguments.grid->runs.begin(), arguments.grid->runs.end(), std::back_inserter(runs),
               [&](const GridRun& run) { return chosen.count(run.identity) != 0; });
  return runs;
}

}  // namespace

std::vector<GridRun> runs_to_do(const SweepArguments& arguments) {
  return chosen_runs(arguments, [&](RunState state) {
    return state != RunState::done && (state != RunState::failed || arguments.retry_failed);
  });
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
  catch_signals();
  std::vector<GridRun> runs = chosen_runs(arguments, [](RunState /*state*/) { return true; });
  int left = 0;
  if (arguments.retry_failed) {
    left = leave_hindered(
        runs, [&](const GridRun& run) { arguments.store.clear_failure(run.identity); }, log_info);
  }
  int threads = 1;
  for (const GridRun& run : runs) {
    threads = std::max(threads, run.configuration.training.threads);
  }
  return finish(train(arguments.store, runs, local_options(arguments, runs, threads)), left);
}

ExitCode run_task(const SweepArguments& arguments) {
  catch_signals();
  const Submission submission = load_submission(arguments.store, arguments.submission);
  RunnerOptions options;
  options.program = program_path();
  options.launcher = words_of(arguments.launch);
  options.environment = environment_for_launcher();
  options.requeues = true;
  std::vector<GridRun> runs = runs_of_task(submission, arguments.task);
  const auto read = [&](GridRun& run) {
    run.configuration = load_configuration(arguments.store.experiment(run.identity), {}, known_names());
  };
  const int left = leave_hindered(runs, read, log_info);
  return finish(train(arguments.store, runs, options), left);
}

}  // namespace adapt::cli
