#include <chrono>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <thread>

#include "base/json.hpp"
#include "base/stop_signal.hpp"
#include "base/terminal.hpp"
#include "cli/sweep_list.hpp"
#include "cli/sweep_modes.hpp"
#include "cli/sweep_summary.hpp"
#include "experiment/tending.hpp"

namespace adapt::cli {
namespace {

std::string tasks_text(const std::map<std::string, int>& counts) {
  std::string states;
  for (const auto& [state, count] : counts) {
    states += concat(states.empty() ? "" : ", ", count, " ", state);
  }
  return states;
}

/// How many tasks are in each state, "PENDING (Resources)".
std::map<std::string, int> count_tasks(const JobReport& report) {
  std::map<std::string, int> counts;
  for (const TaskState& task : report.tasks) {
    const bool waits = task.state == "PENDING" && task.reason != "None";
    ++counts[task.state + (waits ? " (" + task.reason + ")" : "")];
  }
  return counts;
}

void print_tasks(const Tending::Item& item) {
  const std::string states = tasks_text(count_tasks(item.report));
  const std::string forgotten =
      item.report.trouble.empty() ? "unknown to Slurm" : "Slurm does not answer: " + item.report.trouble;
  print_line(concat("submission ", item.submission.id, ", job ", item.submission.job, ": ",
                    states.empty() ? forgotten : states));
}

/// How many runs were submitted, are neither done nor failed, and have nobody left to train them: their task
/// was killed with no time to return to the queue, or Slurm did not take it back.
std::size_t count_abandoned(const RunStore& store, const Tending& tending) {
  std::set<std::string> abandoned;
  for (const Tending::Item& item : tending.submissions) {
    for (const Submission::Run& run : item.submission.runs) {
      const RunState state = store.state(run.identity);
      const bool to_do = state == RunState::planned || state == RunState::resumable;
      if (to_do && tending.tended.count(run.identity) == 0 && tending.unsure.count(run.identity) == 0) {
        abandoned.insert(run.identity);
      }
    }
  }
  return abandoned.size();
}

std::size_t count_notes(const RunStore& store, const Tending& tending) {
  std::size_t count = 0;
  for (const Tending::Item& item : tending.submissions) {
    count += noted_tasks(store, item.submission).size();
  }
  return count;
}

void print_slurm(const SweepArguments& arguments, const Tending& tending) {
  for (const Tending::Item& item : tending.submissions) {
    print_tasks(item);
  }
  if (const std::size_t count = count_notes(arguments.store, tending); count > 0) {
    print_line(concat(count, count == 1 ? " task was" : " tasks were",
                      " stopped at a checkpoint and could not return to the queue: adapt sweep GRID.yaml "
                      "--submit sees to that"));
  }
  if (const std::size_t count = count_abandoned(arguments.store, tending); count > 0) {
    print_line(concat(count, count == 1 ? " run was" : " runs were",
                      " submitted, not finished, and no task is left for ", count == 1 ? "it" : "them",
                      ": adapt sweep GRID.yaml --submit goes on"));
  }
}

RunTable table_of(const SweepArguments& arguments) {
  return run_table(arguments.store, arguments.grid ? &*arguments.grid : nullptr, arguments.where);
}

ExitCode print_json(const SweepArguments& arguments) {
  const Tending tending = look_after(arguments.store);
  Json json = to_json(summary_of(table_of(arguments)));
  Json submissions = Json::array();
  for (const Tending::Item& item : tending.submissions) {
    Json tasks = Json::object();
    for (const auto& [state, count] : count_tasks(item.report)) {
      add_member(tasks, state, count);
    }
    submissions.push_back({{"id", item.submission.id},
                           {"job", item.submission.job},
                           {"tasks", std::move(tasks)},
                           {"trouble", item.report.trouble}});
  }
  add_member(json, "submissions", std::move(submissions));
  add_member(json, "abandoned", count_abandoned(arguments.store, tending));
  add_member(json, "to_requeue", count_notes(arguments.store, tending));
  print_text(json_text(json));
  return ExitCode::done;
}

/// Waits, unless a stop is asked for meanwhile.
void pause_watching() {
  constexpr std::chrono::milliseconds kMoment{100};
  constexpr int kMoments = 20;
  for (int i = 0; i < kMoments && !stop_requested(); ++i) {
    std::this_thread::sleep_for(kMoment);
  }
}

/// One screen again and again, until nothing is left to watch, or Ctrl-C.
ExitCode watch(const SweepArguments& arguments) {
  catch_stop_signals();
  catch_interrupt();
  Pace pace;
  for (;;) {
    const Summary summary = summary_of(table_of(arguments));
    pace.note(summary);
    clear_screen();
    print_summary(summary, pace);
    print_slurm(arguments, look_after(arguments.store));
    finish_output();
    if (summary.is_settled() || stop_requested()) {
      return ExitCode::done;
    }
    pause_watching();
  }
}

}  // namespace

ExitCode print_status(const SweepArguments& arguments) {
  if (arguments.json) {
    return print_json(arguments);
  }
  if (arguments.watch) {
    return watch(arguments);
  }
  const RunTable table = table_of(arguments);
  print(table);
  print_failures(summary_of(table));
  print_slurm(arguments, look_after(arguments.store));
  return ExitCode::done;
}

}  // namespace adapt::cli
