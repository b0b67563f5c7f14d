#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "experiment/slurm_options.hpp"
#include "experiment/store.hpp"
#include "experiment/submission.hpp"

namespace adapt {

/// A job array that trains the runs of a submission.
struct Batch {
  std::string script;                ///< text of the batch script
  std::vector<std::string> command;  ///< what follows the script in sbatch's arguments: the program
};

/// The batch script: `base` (slurm/sweep.sbatch) with the resources of `options` and the array of the
/// submission's tasks behind its own #SBATCH lines, so that they win, and settings for its shell behind
/// these. `threads`: processors of a rank. `program` is the path of adapt.
Batch make_batch(const std::string& base, const RunStore& store, const Submission& submission,
                 const SlurmOptions& options, int threads, const std::string& program);

/// MaxArraySize of the site: of the options, else as scontrol says, else Slurm's own default, 1001.
int max_array_size(const SlurmOptions& options);

/// Hands the batch to sbatch and returns the job's number. Throws Failure with what sbatch says.
std::string submit(const Batch& batch, const std::filesystem::path& script);

/// A task of a job array, as squeue sees it.
struct TaskState {
  std::string task;    ///< "12_3"; of several that wait, "12_[4-9]"
  std::string state;   ///< "RUNNING"
  std::string reason;  ///< why it waits, or "None"
};

/// Tasks of a job that Slurm still knows; none where it has forgotten the job, or there is no Slurm.
std::vector<TaskState> task_states(const std::string& job);

}  // namespace adapt
