#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/job_environment.hpp"
#include "experiment/grid.hpp"
#include "experiment/store.hpp"

namespace adapt {

/// How runs are trained.
struct RunnerOptions {
  std::string program;                ///< path of adapt
  std::vector<std::string> launcher;  ///< what comes before it, such as mpirun -n 4
  Environment environment;            ///< of the launcher
  int jobs = 1;                       ///< runs at a time
  /// Processors for each of the runs at a time, none of them another's; empty: wherever the system puts them.
  std::vector<std::vector<int>> cores = {};
  /// Asked when fewer runs than `jobs` are left to begin: one more to be trained, which nobody counts on;
  /// none when there are no more. Empty: there never are.
  std::function<std::optional<GridRun>()> more = {};
  /// The program runs in a batch job that is put back into the queue when a run stops: counts that in the
  /// run's `requeues`.
  bool requeues = false;
  std::optional<PruneMetric> prune = {};  ///< what runs are compared by that stop at a rung
  bool frozen = false;  ///< refuses other data than those that the runs were submitted with (frozen.hpp)
};

/// What became of the runs that a sweep was to do.
struct SweepResult {
  int done = 0;  ///< trained to the end now
  int done_before = 0;
  int failed = 0;
  int failed_before = 0;
  int stopped = 0;      ///< at a checkpoint, or before anything was worth keeping
  int paused = 0;       ///< at a rung (GridRun::until), as often as that was
  int interrupted = 0;  ///< by something from outside; to be resumed
  int elsewhere = 0;    ///< another process works on them
  int unfit = 0;  ///< this machine cannot train them, another one may; or something is in their own way:
                  ///< each was reported
  int left = 0;   ///< left as they are, as the sweep was stopped or hindered
  /// What made the sweep stop, one line: a disk that is full, a launcher that cannot start. Empty: nothing.
  std::string hindrance;
};

/// Processors for `jobs` runs of `width` each, out of `available`: none shared, and none at all (the system
/// is to place them) where there are too few.
std::vector<std::vector<int>> share_cores(const std::vector<int>& available, int jobs, int width);

/// Words before `adapt train` for so many ranks of so many threads, `jobs` of them at a time on this machine:
/// none for one rank, else mpirun, bound to cores of its own where it is alone and there are enough, that
/// needs no network.
std::vector<std::string> local_launcher(int ranks, int threads, int jobs);

/// What trains a run: `adapt train STORE/<identity>/experiment.yaml --out STORE/<identity> --resume --report
/// STORE/<identity>/report` behind the launcher.
std::vector<std::string> training_command(const RunStore& store, const GridRun& run,
                                          const RunnerOptions& options);

/// Does `work` on each of `runs` before anything begins. Takes out, with a line for `report`, those that have
/// something in their own way (obstacle_to()); returns how many.
int leave_hindered(std::vector<GridRun>& runs, const std::function<void(GridRun&)>& work,
                   const std::function<void(const std::string&)>& report);

/// Trains `runs` in their order, some at a time, each by its training_command() with --claim TOKEN. A run is
/// claimed first, and its training works under that claim; one that is done, has failed (see
/// RunStore::clear_failure) or is claimed by somebody alive is left alone, so that any number of processes
/// can work on one store. A failure stays alone and is written to FAILED; an interruption is no failure,
/// unless it comes back every time (interruption.hpp); a run that this machine cannot train is left as it is;
/// where it cannot train any (ending.hpp), nothing new begins. When a stop is requested (stop_signal.hpp),
/// nothing new begins, and the trainings get SIGUSR1, on which they write a checkpoint. `report` gets a line
/// on everything that happens.
SweepResult run_sweep(const RunStore& store, const std::vector<GridRun>& runs, const RunnerOptions& options,
                      const std::function<void(const std::string&)>& report);

}  // namespace adapt
