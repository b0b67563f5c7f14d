#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "record/run_contents.hpp"
#include "record/run_reader.hpp"

namespace adapt {

/// A run.h5 as it was when it was opened: all that is asked for is taken into memory, by a child process, as
/// anybody may have written the file (RunReader). One that adapt wrote is checked against the digest at its
/// end; one that another program changed has none and is read as far as it makes sense. All errors (missing,
/// not HDF5, not an adapt run, newer format version, damaged) throw BadInput with path and reason.
class RunFile {
 public:
  /// `run_dir` holds run.h5; a path to the file itself is accepted too.
  explicit RunFile(const std::filesystem::path& run_dir);
  /// The same with a reader that other files are read with, too.
  RunFile(const std::filesystem::path& run_dir, RunParts parts, RunReader& reader);

  [[nodiscard]] const std::string& configuration() const { return contents_.configuration; }
  /// The network, as a model file; empty in logs of an older adapt.
  [[nodiscard]] const std::string& graph() const { return contents_.graph; }
  [[nodiscard]] const std::map<std::string, std::string>& provenance() const { return contents_.provenance; }
  [[nodiscard]] const std::map<std::string, double>& summary() const { return contents_.summary; }
  [[nodiscard]] const std::vector<EpochRecord>& epochs() const { return contents_.epochs; }
  [[nodiscard]] const std::vector<LoggedLayer>& layers() const { return contents_.layers; }
  [[nodiscard]] const std::vector<StepRecord>& steps() const { return contents_.steps; }
  [[nodiscard]] const std::vector<SwitchEvent>& switches() const { return contents_.switches; }
  /// Throws BadInput where there is no such layer.
  [[nodiscard]] const std::vector<LayerRecord>& layer_rows(const std::string& name) const;
  /// The model as the last epoch left it. Empty before the end of the first epoch.
  [[nodiscard]] const std::vector<ModelTensor>& model() const { return contents_.model; }
  /// The model that was best on the test set, the earliest of equals. Empty before the end of the first
  /// epoch, and in files that were written before adapt kept it.
  [[nodiscard]] const BestModel& best_model() const { return contents_.best_model; }
  /// A finished run: DONE lies beside the file and names its digest, or the file is a copy that
  /// analysis/strip.py made of one.
  [[nodiscard]] bool done() const { return contents_.stripped || done_mark() == Done::matches; }
  /// What DONE beside the file says of it.
  [[nodiscard]] Done done_mark() const { return contents_.done; }

 private:
  std::filesystem::path path_;
  RunContents contents_;
};

/// The first difference between the trajectories of two runs, in words, or empty when they took the same
/// trajectory. What counts, bit for bit (a NaN equals the same NaN): losses, learning rates, strategies,
/// formats and policy statistics of each layer, switches, accuracies, final weights. What does not:
/// configuration, provenance, summary, times, bytes sent. Differences are looked for by step first, so that
/// the earliest one is named; then in the number of rows, the epochs, and the model.
std::string first_difference(const RunFile& a, const RunFile& b);

}  // namespace adapt
