#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "precision/policy.hpp"

namespace adapt {

/// MuPPET's gradient diversity: the gradients of the last global batch of each of the newest epochs.
class GradientBlocks {
 public:
  /// Keeps the gradients of `epochs` >= 1 epochs.
  explicit GradientBlocks(int epochs) : epochs_(static_cast<std::size_t>(epochs)) {}

  /// Takes in the gradients of all layers at the end of an epoch; beyond the number to keep, the oldest goes.
  void add(const StepObservation& observation);
  [[nodiscard]] bool full() const { return kept_.size() == epochs_; }
  /// Δ = mean over layers of Σ_k‖g_k‖² / ‖Σ_k g_k‖² over the kept epochs k. A layer whose gradients cancel
  /// has no such ratio and does not count; without any, Δ is 1.
  [[nodiscard]] double diversity() const;
  void clear() { kept_.clear(); }

  /// By kept epoch, oldest first, and layer.
  [[nodiscard]] const std::vector<std::vector<std::vector<float>>>& kept() const { return kept_; }
  /// Puts back what kept() gave.
  void restore(std::vector<std::vector<std::vector<float>>> kept) { kept_ = std::move(kept); }

 private:
  std::size_t epochs_;
  std::vector<std::vector<std::vector<float>>> kept_;
};

}  // namespace adapt
