#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "experiment/grid.hpp"
#include "experiment/store.hpp"
#include "experiment/sweep_runner.hpp"

namespace adapt::cli {

/// SweepArguments::retry: whatever failed; what was pruned, to its end.
inline constexpr const char* kRetryFailed = "failed";
inline constexpr const char* kRetryPruned = "pruned";

/// What `adapt sweep` was asked for.
struct SweepArguments {
  RunStore store{""};
  std::optional<Grid> grid;
  std::vector<std::string> where;  ///< conditions on the runs
  std::string retry;   ///< "failed", or the Reason of runs of which only these are tried again; empty
  bool json = false;   ///< --list and --status for programs
  bool watch = false;  ///< --status again and again
  int jobs = 1;
  int ranks = 1;
  std::string launch;      ///< words of a launcher in place of mpirun
  std::string submission;  ///< of a task
  int task = 0;
};

/// Runs of the grid that fit the conditions and are neither done nor, unless they are to be tried again,
/// failed. Where runs of one reason are to be tried again, those that ended by it, and no others.
std::vector<GridRun> runs_to_do(const SweepArguments& arguments);

/// How --run trains: by the launcher that was asked for, else by mpirun on this machine. Throws BadInput
/// where a run that is not done has fewer shards than ranks.
RunnerOptions local_options(const SweepArguments& arguments, const std::vector<GridRun>& runs, int threads);

/// --run: trains them here, after forgetting the failures that are to be tried again.
ExitCode run_here(const SweepArguments& arguments);

/// --task: one task of a job array.
ExitCode run_task(const SweepArguments& arguments);

/// --dry-run: what --run or --submit would do.
ExitCode dry_run(const SweepArguments& arguments);

/// --submit: hands them to Slurm.
ExitCode submit_runs(const SweepArguments& arguments);

/// --status: states of the runs, and what Slurm says of the submissions.
ExitCode print_status(const SweepArguments& arguments);

/// --clean: removes the copies of the program that no submission needs any more.
ExitCode clean(const SweepArguments& arguments);

}  // namespace adapt::cli
