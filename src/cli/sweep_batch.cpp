#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <map>
#include <set>

#include "base/file.hpp"
#include "base/log.hpp"
#include "base/memory.hpp"
#include "base/shell.hpp"
#include "base/terminal.hpp"
#include "cli/command.hpp"
#include "cli/memory_check.hpp"
#include "cli/shared_files.hpp"
#include "cli/sweep_list.hpp"
#include "cli/sweep_modes.hpp"
#include "experiment/batch.hpp"
#include "experiment/estimate.hpp"

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
  return make_batch(batch_template(), absolute(arguments.store), submission, arguments.grid->slurm,
                    threads_of(*arguments.grid), program_path());
}

void print_estimate(const SweepArguments& arguments, const std::vector<GridRun>& runs) {
  std::vector<IndexEntry> planned;
  for (const GridRun& run : runs) {
    IndexEntry entry;
    entry.configuration = json_values(run.configuration);
    planned.push_back(std::move(entry));
  }
  const Estimate found = estimate(planned, read_index(arguments.store, known_names()));
  std::array<char, 64> hours{};
  std::snprintf(hours.data(), hours.size(), "%.3g", found.core_hours);
  if (found.runs > 0) {
    print_line(concat("estimate: ", hours.data(), " core-hours for ", found.runs,
                      found.runs == 1 ? " run" : " runs", ", from finished runs of the store"));
  }
  if (found.unknown > 0) {
    print_line(concat("estimate: none for ", found.unknown, found.unknown == 1 ? " run" : " runs",
                      ": the store holds no finished run of the same model and data"));
  }
}

/// What the run with the largest demand needs.
void print_memory(const std::vector<GridRun>& runs) {
  MemoryEstimate largest;
  std::string label;
  for (const GridRun& run : runs) {
    MemoryEstimate estimate = estimate_of(run.configuration);
    if (total(estimate) > total(largest)) {
      largest = std::move(estimate);
      label = run.label;
    }
  }
  print_line(concat("memory: up to ", bytes_text(total(largest)), " for a rank (", parts_text(largest),
                    "), estimated: ", label));
}

/// Says how many runs are left as they are because of something in their own way.
ExitCode say_left(int left) {
  if (left > 0) {
    print_line(concat(left, left == 1 ? " run is" : " runs are", " not submitted"));
  }
  return left > 0 ? ExitCode::failed : ExitCode::done;
}

/// A submission as it would be, for --dry-run.
Submission imagined(const SweepArguments& arguments, const std::vector<GridRun>& runs) {
  const SlurmOptions& slurm = arguments.grid->slurm;
  Submission submission;
  submission.id = arguments.grid->name + "-1";
  submission.chunk = chunk_size(runs.size(), slurm.chunk, max_array_size(slurm));
  for (const GridRun& run : runs) {
    submission.runs.push_back({run.identity, run.label});
  }
  return submission;
}

void print_tasks(const Submission& submission, const JobReport& report) {
  std::map<std::string, int> counts;
  for (const TaskState& task : report.tasks) {
    const bool waits = task.state == "PENDING" && task.reason != "None";
    ++counts[task.state + (waits ? " (" + task.reason + ")" : "")];
  }
  std::string states;
  for (const auto& [state, count] : counts) {
    states += concat(states.empty() ? "" : ", ", count, " ", state);
  }
  const std::string forgotten =
      report.trouble.empty() ? "unknown to Slurm" : "Slurm does not answer: " + report.trouble;
  print_line(concat("submission ", submission.id, ", job ", submission.job, ": ",
                    states.empty() ? forgotten : states));
}

/// Runs of a submission that Slurm still works on or is going to; all of them where Slurm does not answer.
void add_tended(const Submission& submission, const JobReport& report, std::set<std::string>& tended) {
  std::set<std::string> alive;
  for (const TaskState& task : report.tasks) {
    if (task.is_alive()) {
      alive.insert(task.task);
    }
  }
  for (std::size_t i = 0; i < submission.runs.size(); ++i) {
    const std::size_t task = i / static_cast<std::size_t>(submission.chunk);
    if (!report.trouble.empty() || alive.count(concat(submission.job, "_", task)) != 0) {
      tended.insert(submission.runs[i].identity);
    }
  }
}

/// How many runs were submitted, are neither done nor failed, and have nobody left to train them: their task
/// was killed with no time to return to the queue, or Slurm did not take it back.
std::size_t count_abandoned(const RunStore& store, const std::vector<Submission>& submissions,
                            const std::set<std::string>& tended) {
  std::set<std::string> abandoned;
  for (const Submission& submission : submissions) {
    for (const Submission::Run& run : submission.runs) {
      const RunState state = store.state(run.identity);
      const bool to_do = state == RunState::planned || state == RunState::resumable;
      if (to_do && tended.count(run.identity) == 0) {
        abandoned.insert(run.identity);
      }
    }
  }
  return abandoned.size();
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
  print_estimate(arguments, runs);
  print_memory(runs);
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
  const SlurmOptions& slurm = arguments.grid->slurm;
  std::vector<GridRun> runs = runs_to_do(arguments);
  runs.erase(std::remove_if(runs.begin(), runs.end(),
                            [&](const GridRun& run) {
                              return arguments.store.state(run.identity) == RunState::running;
                            }),
             runs.end());
  if (runs.empty()) {
    print_line("nothing to submit");
    return ExitCode::done;
  }
  const int threads = threads_of(*arguments.grid);
  const std::string base = batch_template();
  const RunStore store = absolute(arguments.store);
  check_store_path(store);
  make_submissions_folder(store);
  const auto prepare = [&](const GridRun& run) {
    store.clear_failure(run.identity);
    store.prepare(run.identity, run.configuration);
  };
  const int left = leave_hindered(runs, prepare, log_info);
  if (runs.empty()) {
    return say_left(left);
  }
  Submission submission =
      freeze(store, *arguments.grid, runs, chunk_size(runs.size(), slurm.chunk, max_array_size(slurm)));
  const Batch batch = make_batch(base, store, submission, slurm, threads, program_path());
  submission.job = submit(batch, submission_path(store, submission.id, ".sbatch"));
  save(store, submission);
  print_line(concat("submitted job ", submission.job, ": ", runs.size(), runs.size() == 1 ? " run" : " runs",
                    " in ", submission.tasks(), " tasks, submission ", submission.id));
  return say_left(left);
}

ExitCode print_status(const SweepArguments& arguments) {
  const Grid* grid = arguments.grid ? &*arguments.grid : nullptr;
  print(run_table(arguments.store, grid, arguments.where));
  std::vector<Submission> submissions = load_submissions(arguments.store);
  submissions.erase(std::remove_if(submissions.begin(), submissions.end(),
                                   [](const Submission& submission) { return submission.job.empty(); }),
                    submissions.end());
  std::set<std::string> tended;
  for (const Submission& submission : submissions) {
    const JobReport report = ask_about(submission.job);
    print_tasks(submission, report);
    add_tended(submission, report, tended);
  }
  if (const std::size_t count = count_abandoned(arguments.store, submissions, tended); count > 0) {
    print_line(concat(count, count == 1 ? " run was" : " runs were",
                      " submitted, not finished, and no task is left for ", count == 1 ? "it" : "them",
                      ": adapt sweep GRID.yaml --submit goes on"));
  }
  return ExitCode::done;
}

}  // namespace adapt::cli
