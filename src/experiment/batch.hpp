#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/process.hpp"
#include "experiment/slurm_options.hpp"
#include "experiment/store.hpp"
#include "experiment/submission.hpp"

namespace adapt {

/// A job array that trains the runs of a submission.
struct Batch {
  std::string script;  ///< text of the batch script
  /// Of sbatch: they win over the script's #SBATCH lines, and need no quotes.
  std::vector<std::string> options;
  std::vector<std::string> command;  ///< what follows the script in sbatch's arguments: the program
};

/// Throws BadInput for a store whose path Slurm cannot write logs to.
void check_store_path(const RunStore& store);

/// The batch script: `base` (slurm/sweep.sbatch) with settings for its shell behind its #SBATCH lines; and
/// the resources of `options` and the array of the submission's tasks as options of sbatch. `threads`:
/// processors of a rank. `program` is the path of adapt. Throws BadInput as check_store_path().
Batch make_batch(const std::string& base, const RunStore& store, const Submission& submission,
                 const SlurmOptions& options, int threads, const std::string& program);

/// MaxArraySize of the site: of the options, else as scontrol says, else Slurm's own default, 1001.
int max_array_size(const SlurmOptions& options);

/// The arguments of sbatch for a batch whose script lies at `script`.
std::vector<std::string> sbatch_command(const Batch& batch, const std::filesystem::path& script);

/// Hands the batch to sbatch and returns the job's number. Throws Failure with what sbatch says.
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

JobReport ask_about(const std::string& job);

}  // namespace adapt
