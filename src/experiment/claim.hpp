#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/process.hpp"

namespace adapt {

/// Who works on a run: the content of the file `claim` in its folder, one line of JSON.
struct Claim {
  std::string host;
  std::string space;  ///< process_space() of the processes below
  ProcessId owner;
  ProcessId child;         ///< the training that the owner started; number 0 before
  std::string slurm_job;   ///< SLURM_JOB_ID, or empty
  std::string slurm_task;  ///< SLURM_ARRAY_TASK_ID, or empty
  int slurm_restarts = 0;  ///< SLURM_RESTART_COUNT
  std::string time;        ///< when it was made, UTC
};

/// The claim that this process would make now.
Claim own_claim();

/// What is known about a Slurm job.
enum class JobState { alive, dead, unknown };

/// Asks `squeue`: alive when the job runs, is being started or ended, or is suspended; dead when it waits,
/// has ended, or Slurm has forgotten it; unknown where there is no Slurm, or no answer.
JobState slurm_job_state(const std::string& job);

/// Whether a claim's owner, or the training that it started, is still there.
///  - On the same machine: whether one of the processes runs.
///  - Elsewhere: what Slurm says of its job; of this very job, whether it was requeued since.
///  - Else: whether the claim was refreshed in the last 15 minutes; `refreshed` is the file's time.
bool is_alive(const Claim& claim, std::filesystem::file_time_type refreshed);

/// Whether somebody alive holds a claim on the run in this folder.
bool is_claimed(const std::filesystem::path& run_dir);

/// Whether there is any claim, alive or dead.
bool has_claim(const std::filesystem::path& run_dir);

/// A claim that this process holds on a run; given back at the end of the scope. A claim is made by linking a
/// whole file to a name that is not there yet, which one of several processes on a shared file system can do.
/// The first is called `claim`; one that takes over from a dead owner `claim.2`, `claim.3`, ..., so that no
/// file which may be another's has to be removed to take over.
class HeldClaim {
 public:
  /// Claims the run in `run_dir`, an existing folder; nothing where somebody alive has. Throws Failure where
  /// the folder cannot be written.
  static std::optional<HeldClaim> take(const std::filesystem::path& run_dir);
  ~HeldClaim();
  HeldClaim(HeldClaim&& other) noexcept;
  HeldClaim& operator=(HeldClaim&&) = delete;

  /// Notes the training that works for this claim.
  void set_child(const ProcessId& child);
  /// Tells other machines that the owner is there; to be called at least every few minutes.
  void refresh() const;

 private:
  HeldClaim(std::filesystem::path path, Claim claim) : path_(std::move(path)), claim_(std::move(claim)) {}

  std::filesystem::path path_;  ///< empty: moved from
  Claim claim_;
  std::vector<std::filesystem::path> replaced_;  ///< claims of dead owners, which go with this one
};

}  // namespace adapt
