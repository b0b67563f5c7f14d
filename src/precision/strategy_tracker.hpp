#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "precision/push_up.hpp"

namespace adapt {

/// Chooses the strategy of PushUp from the losses: a stronger one while training stands still, the mildest as
/// soon as it moves.
class StrategyTracker {
 public:
  /// Keeps the losses of the last `capacity` >= 1 steps; starts with `strategy`. Not adaptive: keeps it.
  StrategyTracker(std::size_t capacity, Strategy strategy, bool adaptive)
      : capacity_(capacity), strategy_(strategy), adaptive_(adaptive) {}

  /// Takes in the loss of a step.
  void add(double loss);
  /// With the mean over the last `lookback` losses, the newest included (fewer if there are not so many yet):
  /// |mean| <= |newest loss|: min → mean → max; |mean| > |newest loss|: back to min. Needs at least one loss.
  void update(std::size_t lookback);
  [[nodiscard]] Strategy strategy() const { return strategy_; }

  /// Oldest first.
  [[nodiscard]] std::span<const double> losses() const { return losses_; }
  /// Puts back what losses() and strategy() gave.
  void restore(std::vector<double> losses, Strategy strategy);

 private:
  std::size_t capacity_;
  Strategy strategy_;
  bool adaptive_;
  std::vector<double> losses_;
};

}  // namespace adapt
