#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "cli/sweep_list.hpp"

namespace adapt::cli {

/// A sweep at a glance.
struct Summary {
  struct Run {
    std::string identity;
    std::string label;
    double test_accuracy = 0;
  };
  struct Failed {
    std::string identity;
    std::string label;
    std::string state;  ///< failed, or what it is after an interruption
    std::string reason;
    std::string nodes;
    std::string message;  ///< one line
  };
  std::size_t runs = 0;
  std::map<RunState, int> states;
  double epochs = 0;           ///< that the runs' logs hold
  double epochs_to_do = 0;     ///< that are left for all runs but those that failed or were pruned
  std::optional<Run> best;     ///< by the best test accuracy so far
  std::vector<Failed> failed;  ///< runs with a failure, or an interruption that nothing came after
  /// By node (or Slurm's list of those of a run): how many ended there, by their reason.
  std::map<std::string, std::map<std::string, int>> nodes;

  /// Whether no run is going on, or waits for somebody to.
  [[nodiscard]] bool is_settled() const;
};

Summary summary_of(const RunTable& table);

/// {"runs", "states": {state: count}, "epochs", "epochs_to_do", "best", "failed": [...], "nodes"}.
Json to_json(const Summary& summary);

/// How fast epochs come in while somebody watches.
class Pace {
 public:
  void note(const Summary& summary);
  /// Epochs an hour; none before there were any.
  [[nodiscard]] std::optional<double> epochs_per_hour() const;

 private:
  using Clock = std::chrono::steady_clock;
  std::optional<Clock::time_point> start_;
  double first_ = 0;
  double last_ = 0;
  Clock::duration passed_{};
};

/// Counts, rate, time left, the best run so far, failures.
void print_summary(const Summary& summary, const Pace& pace);

/// Failures by reason, and the nodes where they were; nothing where there were none.
void print_failures(const Summary& summary);

}  // namespace adapt::cli
