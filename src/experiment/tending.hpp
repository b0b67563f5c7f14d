#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "experiment/reason.hpp"
#include "experiment/slurm_queue.hpp"
#include "experiment/store.hpp"
#include "experiment/submission.hpp"

namespace adapt {

/// What Slurm says of the submissions of a store, and what that means for their runs.
struct Tending {
  struct Item {
    Submission submission;
    JobReport report;
  };
  std::vector<Item> submissions;  ///< those that Slurm has taken
  std::set<std::string> tended;   ///< identities that a task works on or is going to
  /// Identities that a task may work on, as Slurm does not answer, and why it does not.
  std::map<std::string, std::string> unsure;
  std::map<std::string, std::string> ended;  ///< state of each task that has ended, by its name "12_3"
};

/// Asks about all submissions. One whose job nobody got the number of, as sbatch or the command was ended in
/// between, is looked for by the job's name, and gets it.
Tending look_after(const RunStore& store);

/// Why Slurm ended the task that worked on a run which nobody works on now; unknown where it does not say, or
/// the run was stopped in order.
Reason reason_of_end(const RunStore& store, const std::string& identity, const Tending& tending);

/// Notes that in the runs, once: out of memory as a failure, others as an interruption. No claim of a task
/// that is gone stays.
void note_ends(const RunStore& store, const std::vector<GridRun>& runs, const Tending& tending);

/// Puts the tasks back into the queue that were stopped at a checkpoint and could not ask for that where they
/// ran; their runs count as tended. Returns how many. Where Slurm refuses, a warning; the note is gone then,
/// too, and their runs are as any others that nobody works on.
int requeue_noted(const RunStore& store, Tending& tending);

}  // namespace adapt
