#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "experiment/configuration.hpp"
#include "experiment/reason.hpp"

namespace adapt {

// A run store is a folder with one folder for each run, named by store_identity(). STORE/<identity>/ is an
// ordinary run folder (run.h5, checkpoints/, DONE) that also holds
//   experiment.yaml  the resolved configuration that the run is trained from
//   output.txt       what the training printed
//   claim            who works on it (claim.hpp)
//   FAILED           JSON, the members of RunFailure; the last attempt failed
//   interrupted      JSON: how often something ended the run from outside (interruption.hpp)
//   rungs            its results at the rungs of a grid with `prune` (pruning.hpp)
//   report           what the training says to the sweep while it works on it (report.hpp)
//   frozen           what it was submitted with (frozen.hpp)
//   requeues         how often a batch job was put back into the queue because of this run
// STORE/index.json lists all runs (index.hpp); STORE/submissions/ holds what was handed to Slurm,
// STORE/programs/ the programs that it runs.

/// What can be said of a run from its folder.
enum class RunState {
  planned,    ///< nothing is there yet, or nothing worth going on from
  running,    ///< somebody alive has claimed it
  done,       ///< DONE is there and belongs to the run.h5
  failed,     ///< FAILED is there: it is tried again on request only
  pruned,     ///< it waits at a rung (pruning.hpp), better runs go on
  resumable,  ///< not worked on, and there is a checkpoint, the claim of a dead owner, or an interruption
};

/// "planned", ...
const char* state_name(RunState state);

/// Why the last attempt at a run ended.
struct RunFailure {
  int exit_code = 0;
  std::string message;  ///< one line
  std::string time;     ///< UTC
  int requeues = 0;
  Reason reason = Reason::unknown;
  std::string nodes = {};      ///< nodes_here()
  std::int64_t memory_mb = 0;  ///< job_memory()
};

/// The folder of a store. Its folders are made when something is written.
class RunStore {
 public:
  explicit RunStore(std::filesystem::path path) : path_(std::move(path)) {}

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path folder(const std::string& identity) const { return path_ / identity; }
  /// Identities of all runs that have a folder, sorted. Empty where there is no store. Links to folders are
  /// followed; one that leads nowhere, or back to a folder that it lies in, is left out with a warning, as a
  /// file is. Of several names of one folder its own counts, else the first. analysis/find_runs.py has the
  /// same rule.
  [[nodiscard]] std::vector<std::string> identities() const;

  [[nodiscard]] RunState state(const std::string& identity) const;
  /// The same for the holder of the claim: done, failed, pruned, or planned for anything else.
  [[nodiscard]] RunState result(const std::string& identity) const;

  /// Whether the run's folder is a link to one elsewhere: it is read, but nothing is written through it.
  [[nodiscard]] bool is_linked(const std::string& identity) const;
  /// Makes the run's folder, unless it is there. Throws as make_own_folder().
  void make_folder(const std::string& identity) const;
  /// The same, and its experiment.yaml, replacing one that says something else (of paths and the like: the
  /// rest is what the identity stands for).
  void prepare(const std::string& identity, const Configuration& configuration) const;
  [[nodiscard]] std::filesystem::path experiment(const std::string& identity) const;
  [[nodiscard]] std::filesystem::path output(const std::string& identity) const;
  [[nodiscard]] std::filesystem::path report(const std::string& identity) const;

  void write_failure(const std::string& identity, const RunFailure& failure) const;
  [[nodiscard]] std::optional<RunFailure> failure(const std::string& identity) const;
  /// Forgets a failure, and interruptions, so that the run is tried again, from its last checkpoint; unless
  /// its folder is a link.
  void clear_failure(const std::string& identity) const;

  [[nodiscard]] int requeues(const std::string& identity) const;
  void set_requeues(const std::string& identity, int count) const;

 private:
  /// Writes a file in the run's folder. Throws BadInput where that is a link.
  void write(const std::string& identity, const char* name, const std::string& text) const;

  std::filesystem::path path_;
};

/// Does `work` on a run. Returns why it cannot be done, where that is the run's own affair: its files or its
/// folder are not what they should be, or cannot be written. A failure that the next run would meet as well,
/// a full disk, is thrown on.
std::optional<std::string> obstacle_to(const std::function<void()>& work);

/// The state of the run in a folder.
RunState state_of(const std::filesystem::path& run_dir);

/// Whether a folder of this name is one of a run: 16 hexadecimal digits.
bool is_identity(const std::string& name);

}  // namespace adapt
