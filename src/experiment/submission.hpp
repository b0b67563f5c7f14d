#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "experiment/grid.hpp"
#include "experiment/store.hpp"

namespace adapt {

/// What was handed to Slurm at once: a list of runs, frozen, so that the tasks of the job array know theirs
/// whatever becomes of grid and store meanwhile. STORE/submissions/<id>.json holds it, <id>.sbatch the batch
/// script, <id>-<job>_<task>.txt what a task printed.
struct Submission {
  std::string id;    ///< "<grid's name>-<number>"
  std::string time;  ///< UTC
  std::string job;   ///< of the array, as sbatch named it; empty: not accepted (yet)
  int chunk = 1;     ///< runs of a task
  struct Run {
    std::string identity;
    std::string label;
  };
  std::vector<Run> runs;

  [[nodiscard]] int tasks() const;
};

/// Runs of a task are at least `chunk`, more where an array of `max_array_size` tasks would not hold all.
int chunk_size(std::size_t runs, int chunk, int max_array_size);

/// Freezes `runs`: their folders with experiment.yaml, and the file of the submission, under a name that no
/// other process has. Throws Failure.
Submission freeze(const RunStore& store, const Grid& grid, const std::vector<GridRun>& runs, int chunk);

/// Writes the submission again, with the job's number.
void save(const RunStore& store, const Submission& submission);

/// Throws BadInput where there is none of this name.
Submission load_submission(const RunStore& store, const std::string& id);

/// All submissions of a store, by name; a warning for each file that holds none.
std::vector<Submission> load_submissions(const RunStore& store);

/// "STORE/submissions/<id><suffix>".
std::filesystem::path submission_path(const RunStore& store, const std::string& id, const char* suffix);

/// The runs of one task (from 0), read from their folders. Throws BadInput for a task that is none.
std::vector<GridRun> runs_of_task(const RunStore& store, const Submission& submission, int task,
                                  const KnownNames& names);

}  // namespace adapt
