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
  std::string name;    ///< of the job
  std::string script;  ///< text of the batch script
  /// Of sbatch: they win over the script's #SBATCH lines, and need no quotes.
  std::vector<std::string> options;
  std::vector<std::string> command;  ///< what follows the script in sbatch's arguments: the program
};

/// The name of a submission's job, by which it is found again where nobody got its number.
std::string job_name(const Submission& submission);

/// Throws BadInput for a store whose path Slurm cannot write logs to.
void check_store_path(const RunStore& store);

/// The batch script: `base` (slurm/sweep.sbatch) with settings for its shell behind its #SBATCH lines; and
/// the resources of `options` and the array of the submission's tasks as options of sbatch. `threads`:
/// processors of a rank. `program` is the path of adapt. Throws BadInput as check_store_path().
Batch make_batch(const std::string& base, const RunStore& store, const Submission& submission,
                 const SlurmOptions& options, int threads, const std::string& program);

/// The arguments of sbatch for a batch whose script lies at `script`.
std::vector<std::string> sbatch_command(const Batch& batch, const std::filesystem::path& script);

}  // namespace adapt
