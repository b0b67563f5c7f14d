#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/names.hpp"
#include "experiment/grid_run.hpp"
#include "experiment/store.hpp"

namespace adapt {

// Asynchronous successive halving (Li et al., "A System for Massively Parallel Hyperparameter Tuning", MLSys
// 2020) over a store, without a server: every sweep that works on it decides for itself what to do next, from
// what the runs' folders say, and the claims see to it that no two do the same.
//
// A run is trained to the first rung, an epoch, and stops there at a checkpoint. Of the runs that have a
// result at a rung, the best 1/eta are promoted: they go on to the next one, and from the last one to their
// end. STORE/<identity>/rungs holds the results, JSON.

/// What runs are compared by at a rung: a column of the log's epochs.
enum class PruneMetric { test_accuracy, test_loss, train_loss };
template <>
inline constexpr auto kNames<PruneMetric> =
    std::array{Named{"test_accuracy", PruneMetric::test_accuracy}, Named{"test_loss", PruneMetric::test_loss},
               Named{"train_loss", PruneMetric::train_loss}};

/// A grid's section `prune`.
struct Pruning {
  PruneMetric metric = PruneMetric::test_accuracy;
  int eta = 3;
  std::vector<int> rungs;  ///< epochs, ascending

  bool operator==(const Pruning&) const = default;
};

/// {"metric", "eta", "rungs"}, and back; nothing where `json` is none.
Json to_json(const Pruning& pruning);
std::optional<Pruning> pruning_from(const Json& json);

/// A run's result at a rung.
struct RungResult {
  std::int64_t epoch = 0;
  double value = 0;
};

/// What a run's folder says of its rungs.
struct RungNote {
  std::string metric;
  std::vector<RungResult> results;  ///< ascending epochs
  bool stopped = false;             ///< it waits at the last one: pruned, unless it is promoted
};

/// Nothing where there is none, or it cannot be read.
std::optional<RungNote> rungs_of(const std::filesystem::path& run_dir);

/// Under the run's claim: its log goes up to `epoch`, a rung, where it was stopped. Throws as
/// Folder::write(), and as RunFile where the log cannot be read.
void note_rung(const std::filesystem::path& run_dir, PruneMetric metric, std::int64_t epoch);

/// Under the run's claim: it goes on.
void note_promotion(const std::filesystem::path& run_dir);

/// A run as pruning sees it.
struct Contender {
  RunState state = RunState::planned;
  std::vector<RungResult> results = {};
};

/// What to do next: which run, and to which epoch; 0: to its end.
struct Assignment {
  std::size_t run = 0;
  int until = 0;
};

/// The next assignment: first what was begun and waits at no rung, then promotions, the highest rung first,
/// then runs that have not begun. Where all of that is done and nobody works on anything, but nobody was
/// promoted from the highest rung that was reached, its best: one run is always trained to its end.
std::optional<Assignment> next_assignment(const Pruning& pruning, const std::vector<Contender>& contenders);

/// What RunnerOptions::more asks: the next assignment among `runs`, whose configurations `read` reads where
/// they are not.
std::function<std::optional<GridRun>()> pruned_work(const RunStore& store, std::vector<GridRun> runs,
                                                    const Pruning& pruning,
                                                    const std::function<void(GridRun&)>& read);

}  // namespace adapt
