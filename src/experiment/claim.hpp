#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/process.hpp"

namespace adapt {

/// Who works on a run: the content of the file `claim` in its folder, one line of JSON.
struct Claim {
  std::string token;  ///< tells it from all others: what the owner's training is to know it by
  std::string host;
  std::string space;  ///< process_space() of the processes below
  ProcessId owner;
  std::string slurm_job;    ///< SLURM_JOB_ID, or empty
  std::string slurm_array;  ///< SLURM_ARRAY_JOB_ID, or empty
  std::string slurm_task;   ///< SLURM_ARRAY_TASK_ID, or empty
  int slurm_restarts = 0;   ///< SLURM_RESTART_COUNT
  std::string time;         ///< when it was made, UTC
};

/// The claim that this process would make now.
Claim own_claim();

/// What is known about a Slurm job.
enum class JobState { alive, dead, unknown };

/// Asks `squeue`, not again for a moment where it did not answer: alive when the job runs, is being started
/// or ended, or is suspended; dead when it waits, has ended, or Slurm has forgotten it; unknown where there
/// is no Slurm, or no answer.
JobState slurm_job_state(const std::string& job);

/// Whether a claim's owner is still there. On the same machine: whether the process runs. Elsewhere: what
/// Slurm says of its job; of this very job, nothing but that it was requeued since. Nothing where neither can
/// tell.
std::optional<bool> owner_is_alive(const Claim& claim);

/// Who alive holds a claim on the run in this folder: "process 17 on node3, since ..."; nothing where nobody
/// does. A claim whose owner nobody can ask, or that cannot be read, lives while it is refreshed: until it is
/// 15 minutes old by the clock of the file system that it lies on, the same for all machines. The claim with
/// the token `but` does not count.
std::optional<std::string> living_owner(const std::filesystem::path& run_dir, const std::string& but = "");

/// Throws BadInput with the owner's name where somebody alive holds a claim on the run in this folder, other
/// than the one with the token `but`.
void refuse_claimed(const std::filesystem::path& run_dir, const std::string& but = "");

/// The newest claim, alive or dead, that can be read.
std::optional<Claim> last_claim(const std::filesystem::path& run_dir);

/// Removes the claims of dead owners, which another machine could take for alive. Throws as
/// HeldClaim::take().
void clear_dead_claims(const std::filesystem::path& run_dir);

/// Whether there is any claim, alive or dead.
bool has_claim(const std::filesystem::path& run_dir);

/// Whether there is the claim with this token.
bool has_claim(const std::filesystem::path& run_dir, const std::string& token);

/// A claim that this process holds on a run; refreshed every minute, given back at the end of the scope. A
/// claim is made by linking a whole file to a name that is not there yet, which one of several processes on a
/// shared file system can do. The first is called `claim`; one that takes over from a dead owner `claim.2`,
/// `claim.3`, ..., so that no file which may be another's has to be removed to take over. A sweep and the
/// training that it started each hold one: the training's works `under` the sweep's, and outlives it where
/// the training does.
class HeldClaim {
 public:
  /// Claims the run in `run_dir`, an existing folder; nothing where somebody alive has, other than by the
  /// claim with the token `under`. Throws Failure where the folder cannot be written.
  static std::optional<HeldClaim> take(const std::filesystem::path& run_dir, const std::string& under = "");
  /// The same; throws BadInput with the owner's name where somebody alive has.
  static HeldClaim take_or_refuse(const std::filesystem::path& run_dir, const std::string& under = "");
  ~HeldClaim();
  HeldClaim(HeldClaim&& other) noexcept;
  HeldClaim& operator=(HeldClaim&&) = delete;

  /// What a training that works under this claim is to be told.
  [[nodiscard]] const std::string& token() const { return claim_.token; }

 private:
  class Heartbeat;
  HeldClaim(std::filesystem::path path, Claim claim);

  std::filesystem::path path_;  ///< empty: moved from
  Claim claim_;
  std::vector<std::filesystem::path> replaced_;  ///< claims of dead owners, which go with this one
  std::unique_ptr<Heartbeat> heartbeat_;
};

}  // namespace adapt
