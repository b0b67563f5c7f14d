#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "train/checkpoint.hpp"

namespace adapt {

/// RUN_DIR/checkpoints: step-<number> are the last ones, best-<number> is that of the epoch with the best
/// test accuracy. A file under such a name is complete: it was written under another name, synced and
/// renamed. One process (rank 0) uses it.
/// A folder of that name that is a link is read, but writing and removing throws BadInput; so does all where
/// it is a file. A folder in it is none of ours, whatever its name: it is neither read nor removed.
class CheckpointFolder {
 public:
  /// Keeps the last `keep` >= 1 checkpoints of the experiment `identity` (run_identity), and the best one.
  /// Touches no file.
  CheckpointFolder(const std::filesystem::path& run_dir, const std::string& identity, int keep);

  /// The newest checkpoint that is whole, of this experiment and of at most `most_bytes`; a file that is not
  /// is skipped with a warning. What a killed process did not come to remove goes now. Nothing where there is
  /// no file; throws BadInput where there are files, but none of use.
  std::optional<Checkpoint> newest(std::uintmax_t most_bytes);

  /// Writes a checkpoint, then removes what is not to be kept: an old one goes only after a newer one is on
  /// disk. `best`: it is that of the best epoch so far as well. Throws Failure (path and reason), nothing
  /// removed.
  void write(Checkpoint checkpoint, bool best);

  /// Removes all checkpoints, before a run starts from the beginning.
  void clear();
  /// Whether there are any.
  [[nodiscard]] bool empty() const;

  /// Step of the last checkpoint that newest() found or write() wrote; -1: none.
  [[nodiscard]] std::int64_t last_step() const { return good_.empty() ? -1 : good_.back(); }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  struct File {
    std::int64_t step = 0;
    bool best = false;
    std::filesystem::path path;
  };
  [[nodiscard]] std::vector<std::filesystem::path> entries() const;
  [[nodiscard]] std::vector<File> files() const;
  [[nodiscard]] static std::string name_of(std::int64_t step, bool best);
  void make_folder() const;
  [[nodiscard]] bool is_kept(const File& file) const;
  [[nodiscard]] Checkpoint read(const File& file, std::uintmax_t most_bytes) const;
  void remember(const std::vector<File>& all, std::int64_t newest);
  void prune(std::int64_t last) const;

  std::filesystem::path path_;
  std::string identity_;
  std::size_t keep_;
  std::vector<std::int64_t> good_;  // steps of the last ones, ascending; a damaged file is not among them
  std::int64_t best_ = -1;          // step of the best one
};

}  // namespace adapt
