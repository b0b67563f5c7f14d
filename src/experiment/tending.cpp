#include "experiment/tending.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/process.hpp"
#include "experiment/claim.hpp"
#include "experiment/interruption.hpp"

namespace adapt {
namespace {

std::string task_name(const Submission& submission, std::size_t task) {
  return concat(submission.job, "_", task);
}

/// Gives a submission the number of its job, where Slurm has one.
void adopt(const RunStore& store, Submission& submission, JobReport& report) {
  const FoundJob found = find_job(job_name(submission), submission_path(store, submission.id, ".sbatch"));
  report.trouble = found.trouble;
  if (found.job.empty()) {
    return;
  }
  submission.job = found.job;
  try {
    save(store, submission);
    log_info(concat("submission ", submission.id, " is job ", found.job));
  } catch (const Error& error) {  // a store that is only to be read
    log_warning(error.what());
  }
}

/// The runs of a submission into what they are.
void sort_runs(const Tending::Item& item, Tending& tending) {
  const Submission& submission = item.submission;
  std::set<std::string> alive;
  for (const TaskState& task : item.report.tasks) {
    if (task.is_alive()) {
      alive.insert(task.task);
    } else {
      tending.ended[task.task] = task.state;
    }
  }
  for (std::size_t i = 0; i < submission.runs.size(); ++i) {
    const std::string& identity = submission.runs[i].identity;
    if (!item.report.trouble.empty()) {
      tending.unsure.emplace(identity, item.report.trouble);
    }
    // Where runs are packed, every task takes what is left over.
    const std::size_t task = i / static_cast<std::size_t>(submission.chunk);
    const bool shared = submission.pack != 1 && !alive.empty();
    if (shared || alive.count(task_name(submission, task)) != 0) {
      tending.tended.insert(identity);
    }
  }
}

/// Forgets the claims of who is gone: where squeue is not to be had, they would pass for alive for a while.
void bury(const RunStore& store, const std::string& identity) {
  if (!store.is_linked(identity)) {
    clear_dead_claims(store.folder(identity));
  }
}

}  // namespace

Tending look_after(const RunStore& store) {
  Tending tending;
  for (Submission& submission : load_submissions(store)) {
    JobReport report;
    if (submission.job.empty()) {
      adopt(store, submission, report);
    }
    if (!submission.job.empty()) {
      report = ask_about(submission);
    }
    Tending::Item item{std::move(submission), std::move(report)};
    sort_runs(item, tending);
    if (!item.submission.job.empty()) {
      tending.submissions.push_back(std::move(item));
    }
  }
  return tending;
}

Reason reason_of_end(const RunStore& store, const std::string& identity, const Tending& tending) {
  const std::optional<Claim> claim = last_claim(store.folder(identity));
  if (!claim || claim->slurm_array.empty() || living_owner(store.folder(identity))) {
    return Reason::unknown;
  }
  const auto task = tending.ended.find(claim->slurm_array + "_" + claim->slurm_task);
  return task == tending.ended.end() ? Reason::unknown : reason_of_state(task->second);
}

void note_ends(const RunStore& store, const std::vector<GridRun>& runs, const Tending& tending) {
  for (const GridRun& run : runs) {
    const std::string& identity = run.identity;
    const std::filesystem::path folder = store.folder(identity);
    if (!has_claim(folder) || store.is_linked(identity) || store.state(identity) != RunState::resumable) {
      continue;
    }
    const Reason reason = reason_of_end(store, identity, tending);
    const std::string host = reason == Reason::unknown ? "" : last_claim(folder)->host;
    const std::string message =
        concat("Slurm ended its task: ", reason == Reason::oom       ? "out of memory"
                                         : reason == Reason::timeout ? "time limit"
                                                                     : "node failure");
    if (reason == Reason::oom) {
      store.write_failure(identity, {1, message, utc_now(), store.requeues(identity), reason, host, 0});
    } else if (reason != Reason::unknown) {
      note_interruption(folder, message, reason, host);
    }
    bury(store, identity);
  }
}

int requeue_noted(const RunStore& store, Tending& tending) {
  int count = 0;
  for (const Tending::Item& item : tending.submissions) {
    for (const int task : noted_tasks(store, item.submission)) {
      const std::string name = task_name(item.submission, static_cast<std::size_t>(task));
      const std::string refusal = requeue(name);
      clear_note(store, item.submission, task);
      if (!refusal.empty()) {
        log_warning(concat("task ", name, " does not return to the queue: ", refusal));
        continue;
      }
      ++count;
      for (const GridRun& run : runs_of_task(item.submission, task)) {
        tending.tended.insert(run.identity);
      }
    }
  }
  return count;
}

}  // namespace adapt
