#pragma once

#include <string>
#include <utility>
#include <vector>

#include "experiment/store.hpp"

namespace adapt {

/// What STORE/index.json says about a run.
struct IndexEntry {
  std::string identity;
  std::string name;
  RunState state = RunState::planned;
  /// Key ("training.epochs") and value as JSON ("3", "\"adapt\"", "[10, 15]"), in the order of
  /// resolved_yaml(). Empty where the folder holds no configuration that this program reads.
  std::vector<std::pair<std::string, std::string>> configuration;
  /// Of what the log holds so far: epochs, test_accuracy and train_loss (of the last epoch),
  /// best_test_accuracy, best_epoch, seconds (training and evaluation), ranks, threads; and of a finished run
  /// every attribute of /summary.
  std::vector<std::pair<std::string, double>> metrics;
  int requeues = 0;
  std::string message;  ///< of a failure or interruption, or why run.h5 cannot be read
  std::string reason;   ///< of a failure or interruption, the name of a Reason
  std::string nodes;    ///< where that was
  std::string stamp;    ///< sizes and times of the files that the rest was read from

  /// The value of a key or metric as text; empty where there is none.
  [[nodiscard]] std::string value_of(const std::string& key) const;
  [[nodiscard]] double metric(const std::string& key) const;  ///< NaN where there is none
};

/// All runs of a store, sorted by identity. What STORE/index.json holds and whose files have not changed
/// since is taken from there, the rest is read from the runs; the state is looked at anew. Where something
/// changed, the file is replaced (atomically; of several writers the last one wins, and each writes what is
/// true). The file is a list of objects with the members of IndexEntry, `configuration` and `metrics` as
/// objects. A store that cannot be written is read all the same.
std::vector<IndexEntry> read_index(const RunStore& store, const KnownNames& names);

/// The entries as STORE/index.json holds them.
std::string to_json(const std::vector<IndexEntry>& entries);

/// The entries that fit all conditions "key=value" and "key!=value" on configuration, metrics, name,
/// identity, state and reason. The last part of a key, or the name of a section, stands for the whole:
/// "epochs", "model". Throws BadInput for a condition without '=', and for a key that no run has.
std::vector<IndexEntry> filter_index(const std::vector<IndexEntry>& entries,
                                     const std::vector<std::string>& conditions);

}  // namespace adapt
