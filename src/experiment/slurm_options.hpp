#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace adapt {

/// SlurmOptions::pack: as many as a node has processors for.
inline constexpr int kAutoPack = 0;

/// What a sweep asks of Slurm. Read from the site's file and from the grid's section `slurm`, which wins. The
/// keys have the names of the members; empty and 0 leave a choice to Slurm.
struct SlurmOptions {
  std::string partition;
  std::string account;
  std::string qos;
  std::string time;    ///< limit of a task: "30" (minutes), "12:00:00", "2-00:00:00"
  std::string memory;  ///< of a node: "16G"
  int nodes = 1;       ///< of a training
  int ranks_per_node = 1;
  int threads = 0;                 ///< processors for each rank; 0: the most training.threads of the grid
  int pack = 1;                    ///< runs side by side in a task, on a node; kAutoPack
  int throttle = 0;                ///< most tasks at a time; 0: any
  int chunk = 1;                   ///< runs of a task, at least
  int max_array_size = 0;          ///< of the site; 0: Slurm is asked
  int max_requeues = 100;          ///< of a task
  int signal_seconds = 30;         ///< so long before the time limit a checkpoint is asked for
  std::vector<std::string> setup;  ///< shell commands before all else: modules
  std::string launch;  ///< starts a program on all ranks; containers belong here; "": srun or mpirun
  std::vector<std::string> options;  ///< more of sbatch, each as "--constraint=avx512"
};

/// Reads the site's file, a mapping of these keys, into `options`. Throws BadInput, "FILE:LINE: ".
void read_site_file(const std::filesystem::path& path, SlurmOptions& options);

}  // namespace adapt
