#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "experiment/batch.hpp"
#include "experiment/slurm_options.hpp"

namespace adapt {

// What is asked of Slurm from the machine that submits. Its controller may be busy, or away for minutes:
// nothing is concluded from silence.

/// MaxArraySize of the site: of the options, else as scontrol says, else Slurm's own default, 1001.
int max_array_size(const SlurmOptions& options);

/// Memory of the largest node that the options leave, bytes; 0 where sinfo does not say.
std::int64_t largest_node_memory(const SlurmOptions& options);

/// Hands the batch to sbatch and returns the job's number. A controller that does not answer is asked again,
/// for some minutes; one that may have taken the job before it fell silent is asked for that job first, so
/// that it is not submitted twice. Throws Failure with what sbatch says.
std::string submit(const Batch& batch, const std::filesystem::path& script);

/// What `sbatch --test-only` says of the batch, on one line: when it would start, why it is refused, or why
/// sbatch cannot tell. Empty where there is no sbatch. Submits nothing.
std::string test_only(const Batch& batch);

/// A task of a job array, as squeue sees it.
struct TaskState {
  std::string task;    ///< "12_3"
  std::string state;   ///< "RUNNING"
  std::string reason;  ///< why it waits, or "None"

  /// Whether it runs, or is going to: it waits, is being started or ended, or is suspended.
  [[nodiscard]] bool is_alive() const;
};

/// What squeue says of a job.
struct JobReport {
  std::vector<TaskState> tasks;  ///< none where Slurm has forgotten the job
  std::string trouble;           ///< why squeue cannot tell, one line; else empty
};

/// The tasks of a submission. A job of another name is none of it: the store may have come from another
/// cluster.
JobReport ask_about(const Submission& submission);

/// A job that squeue was asked for by its name.
struct FoundJob {
  std::string job;      ///< its number, of several the highest; empty: there is none
  std::string trouble;  ///< why squeue cannot tell, one line; else empty
};

/// This user's job of that name whose batch script is `script`.
FoundJob find_job(const std::string& name, const std::filesystem::path& script);

/// Puts a task, "12_3", back into the queue. Why Slurm does not, one line; empty where it does.
std::string requeue(const std::string& task);

}  // namespace adapt
