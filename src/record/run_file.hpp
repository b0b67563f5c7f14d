#pragma once

#include <filesystem>
#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "record/run_log.hpp"

namespace adapt {

/// A run.h5 opened for reading. All errors (missing, not HDF5, not an adapt run, newer format version,
/// damaged) throw BadInput with path and reason.
class RunFile {
 public:
  /// `run_dir` holds run.h5; a path to the file itself is accepted too.
  explicit RunFile(const std::filesystem::path& run_dir);
  ~RunFile();
  RunFile(const RunFile&) = delete;
  RunFile& operator=(const RunFile&) = delete;

  [[nodiscard]] std::string configuration() const;
  [[nodiscard]] std::map<std::string, std::string> provenance() const;
  [[nodiscard]] std::vector<LoggedLayer> layers() const;
  [[nodiscard]] std::vector<StepRecord> steps() const;
  [[nodiscard]] std::vector<EpochRecord> epochs() const;
  [[nodiscard]] std::vector<SwitchEvent> switches() const;
  [[nodiscard]] std::vector<LayerRecord> layer_rows(const std::string& name) const;
  [[nodiscard]] std::vector<ModelTensor> model() const;
  /// A finished run (DONE beside it).
  [[nodiscard]] bool done() const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

/// The first difference between the trajectories of two runs (losses, plans, switches, accuracies, weights;
/// bit for bit; times, bytes, hosts and rank counts do not count), in words, or empty when they took the same
/// trajectory.
std::string first_difference(const RunFile& a, const RunFile& b);

}  // namespace adapt
