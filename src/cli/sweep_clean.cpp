#include <algorithm>
#include <set>

#include "base/terminal.hpp"
#include "cli/sweep_modes.hpp"
#include "experiment/frozen.hpp"
#include "experiment/slurm_queue.hpp"
#include "experiment/submission.hpp"

namespace adapt::cli {
namespace {

/// Whether a task of a submission may still start its program: one of its runs is neither done, failed nor
/// pruned, or Slurm has a task of it left.
bool is_needed(const RunStore& store, const Submission& submission) {
  const bool unfinished = std::ranges::any_of(submission.runs, [&](const Submission::Run& run) {
    const RunState state = store.state(run.identity);
    return state != RunState::done && state != RunState::failed && state != RunState::pruned;
  });
  if (unfinished || submission.job.empty()) {
    return unfinished;
  }
  const JobReport report = ask_about(submission);
  return std::ranges::any_of(report.tasks, [](const TaskState& task) { return task.is_alive(); });
}

std::string counted(std::size_t count, const char* what) {
  return concat(count, " ", what, count == 1 ? "" : "s");
}

}  // namespace

ExitCode clean(const SweepArguments& arguments) {
  const std::vector<std::string> programs =
      programs_in(arguments.store);  // before the submissions: see submit
  std::set<std::string> needed;
  for (const Submission& submission : load_submissions(arguments.store)) {
    if (needed.count(submission.program) == 0 && is_needed(arguments.store, submission)) {
      needed.insert(submission.program);
    }
  }
  std::size_t removed = 0;
  for (const std::string& program : programs) {
    if (needed.count(program) == 0) {
      remove_program(arguments.store, program);
      ++removed;
    }
  }
  print_line(concat(counted(removed, "program"), " removed, ", programs.size() - removed, " kept"));
  return ExitCode::done;
}

}  // namespace adapt::cli
