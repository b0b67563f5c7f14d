#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "record/integrity.hpp"
#include "record/run_log.hpp"

namespace adapt {

/// The model after the epoch with the best test accuracy.
struct BestModel {
  std::int64_t epoch = 0;  ///< from 1; 0: there is none
  std::vector<ModelTensor> tensors;
};

/// A run.h5 opened for reading, as it was at that moment: the whole file is taken into memory. A file that
/// adapt wrote is checked against the digest at its end; one that another program changed has none and is
/// read as far as it makes sense. All errors (missing, not HDF5, not an adapt run, newer format version,
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
  /// The model as the last epoch left it. Empty before the end of the first epoch.
  [[nodiscard]] std::vector<ModelTensor> model() const;
  /// The model that was best on the test set, the earliest of equals. Empty before the end of the first
  /// epoch, and in files that were written before adapt kept it.
  [[nodiscard]] BestModel best_model() const;
  [[nodiscard]] std::map<std::string, double> summary() const;
  /// A finished run: DONE lies beside the file and names its digest, or the file is a copy that
  /// analysis/strip.py made of one.
  [[nodiscard]] bool done() const;
  /// What DONE beside the file says of it.
  [[nodiscard]] Done done_mark() const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

/// The first difference between the trajectories of two runs, in words, or empty when they took the same
/// trajectory. What counts, bit for bit (a NaN equals the same NaN): losses, learning rates, strategies,
/// formats and policy statistics of each layer, switches, accuracies, final weights. What does not:
/// configuration, provenance, summary, times, bytes sent. Differences are looked for by step first, so that
/// the earliest one is named; then in the number of rows, the epochs, and the model.
std::string first_difference(const RunFile& a, const RunFile& b);

}  // namespace adapt
