#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "experiment/grid.hpp"
#include "experiment/store.hpp"

namespace adapt {

/// What was handed to Slurm at once: a list of runs, frozen, so that the tasks of the job array know theirs
/// whatever becomes of grid and store meanwhile. STORE/submissions/<id>.json holds it, <id>.sbatch the batch
/// script, <id>-<job>_<task>.txt what a task printed, <id>.requeue.<task> that a task which was stopped at a
/// checkpoint could not ask Slurm to put it back into the queue.
struct Submission {
  std::string id;      ///< "<grid's name>-<number>"
  std::string time;    ///< UTC
  std::string job;     ///< of the array, as sbatch named it; empty: not accepted (yet)
  int chunk = 1;       ///< runs of a task
  int pack = 1;        ///< SlurmOptions::pack
  int ranks = 1;       ///< of a run where several are packed: those of a node
  int threads = 1;     ///< processors of a rank
  std::string launch;  ///< SlurmOptions::launch
  std::optional<Pruning> prune = {};
  std::string program;  ///< SHA-256 of the copy that the tasks run (frozen.hpp); empty in files of old
  struct Run {
    std::string identity;
    std::string label;
  };
  std::vector<Run> runs;

  [[nodiscard]] int tasks() const;
};

/// Runs of a task are at least `chunk`, more where an array of `max_array_size` tasks would not hold all.
int chunk_size(std::size_t runs, int chunk, int max_array_size);

/// Makes STORE/submissions, unless it is there. Throws as make_own_folder().
void make_submissions_folder(const RunStore& store);

/// Freezes `runs`, which the store holds prepared, and how the tasks are to train them: writes the file of
/// the submission, under a name that no other process has. Throws as make_own_folder().
Submission freeze(const RunStore& store, const Grid& grid, const std::vector<GridRun>& runs, int chunk,
                  int threads = 1, const std::string& program = "");

/// Writes a file into STORE/submissions, to a submission_path(). Throws BadInput where that folder is a link.
void write_submission_file(const std::filesystem::path& path, const std::string& text);

/// Writes the submission again, with the job's number. Throws as write_submission_file().
void save(const RunStore& store, const Submission& submission);

/// Throws BadInput where there is none of this name.
Submission load_submission(const RunStore& store, const std::string& id);

/// All submissions of a store, by name; a warning for each file that holds none.
std::vector<Submission> load_submissions(const RunStore& store);

/// "STORE/submissions/<id><suffix>".
std::filesystem::path submission_path(const RunStore& store, const std::string& id, const char* suffix);

/// "STORE/submissions/<id>.requeue.<task>".
std::filesystem::path requeue_note(const RunStore& store, const std::string& id, const std::string& task);

/// The tasks of a submission that left such a note, ascending.
std::vector<int> noted_tasks(const RunStore& store, const Submission& submission);

/// Removes a note. Errors are ignored: it is looked at again.
void clear_note(const RunStore& store, const Submission& submission, int task);

/// A run of a submission, whose configuration is still to be read from its folder.
GridRun run_of(const Submission::Run& run);

/// The runs of one task (from 0), whose configurations are still to be read from their folders. Throws
/// BadInput for a task that is none.
std::vector<GridRun> runs_of_task(const Submission& submission, int task);

}  // namespace adapt
