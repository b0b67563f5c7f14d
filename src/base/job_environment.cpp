#include "base/job_environment.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace adapt {
namespace {

/// Slurm's own variables and those that stand for options of its programs.
constexpr std::array kScheduler = {"SLURM", "SBATCH_", "SALLOC_", "SRUN_", "SQUEUE_", "SCONTROL_"};
/// Where Slurm is, and who asks.
constexpr std::array kSchedulerSettings = {"SLURM_CONF=", "SLURM_JWT="};
/// What tells the job from others.
constexpr std::array kJobNames = {
    "SLURM_JOB_ID=", "SLURM_ARRAY_JOB_ID=", "SLURM_ARRAY_TASK_ID=", "SLURM_RESTART_COUNT="};

/// What PMIx, Open MPI 4 and 5, and launchers of the MPICH family tell a rank about its job. Open MPI passes
/// the rank's place in the job as parameters (OMPI_MCA_...), where the user's settings are, too.
constexpr std::array kLauncher = {"PMIX_",
                                  "PRTE_",
                                  "PMI_",
                                  "OMPI_COMM_WORLD_",
                                  "OMPI_UNIVERSE_SIZE=",
                                  "OMPI_APP_CTX_NUM_PROCS=",
                                  "OMPI_NUM_APP_CTX=",
                                  "OMPI_FIRST_RANKS=",
                                  "OMPI_FILE_LOCATION=",
                                  "OMPI_COMMAND=",
                                  "OMPI_ARGV=",
                                  "OMPI_MCA_ess=",
                                  "OMPI_MCA_ess_base_",
                                  "OMPI_MCA_initial_wdir=",
                                  "OMPI_MCA_orte_app_num=",
                                  "OMPI_MCA_orte_bound_at_launch=",
                                  "OMPI_MCA_orte_ess_",
                                  "OMPI_MCA_orte_hnp_uri=",
                                  "OMPI_MCA_orte_jobfam_session_dir=",
                                  "OMPI_MCA_orte_launch=",
                                  "OMPI_MCA_orte_local_daemon_uri=",
                                  "OMPI_MCA_orte_num_nodes=",
                                  "OMPI_MCA_orte_precondition_transports=",
                                  "OMPI_MCA_orte_top_session_dir=",
                                  "OMPI_MCA_pmix=",
                                  "OMPI_MCA_shmem_RUNTIME_QUERY_hint="};
constexpr std::array kLauncherSettings = {"PMIX_MCA_", "PRTE_MCA_"};

template <class Prefixes>
bool starts_with_any(std::string_view entry, const Prefixes& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const char* prefix) { return entry.starts_with(prefix); });
}

bool is_of_scheduler(std::string_view entry) {
  return starts_with_any(entry, kScheduler) && !starts_with_any(entry, kSchedulerSettings);
}

bool is_of_launcher(std::string_view entry) {
  return starts_with_any(entry, kLauncher) && !starts_with_any(entry, kLauncherSettings);
}

template <class Drop>
Environment environment_without(Drop drop) {
  Environment kept;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (!drop(std::string_view(*entry))) {
      kept.emplace_back(*entry);
    }
  }
  return kept;
}

}  // namespace

Environment own_environment() {
  return environment_without([](std::string_view /*entry*/) { return false; });
}

Environment environment_outside_jobs() {
  return environment_without(
      [](std::string_view entry) { return is_of_scheduler(entry) || is_of_launcher(entry); });
}

Environment environment_beside_jobs() {
  return environment_without([](std::string_view entry) {
    return !starts_with_any(entry, kJobNames) && (is_of_scheduler(entry) || is_of_launcher(entry));
  });
}

Environment environment_for_launcher() { return environment_without(is_of_launcher); }

}  // namespace adapt
