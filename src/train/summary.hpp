#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "precision/cost_model.hpp"
#include "record/run_log.hpp"

namespace adapt {

/// Gathers what the analytical cost model needs while a run goes on, and computes the run's final figures.
class RunSummary {
 public:
  /// `quantized_backward`: activation gradients have formats too, so the backward pass counts at WL bits.
  RunSummary(const std::vector<LoggedLayer>& layers, int images_per_step, bool quantized_backward = false);

  void add(std::span<const LayerRecord> layers, std::span<const SwitchEvent> switches);

  /// All that add() took in, for a checkpoint (this machine's representation).
  [[nodiscard]] std::vector<std::byte> save_state() const;
  /// Puts back what save_state() of a run with the same layers gave. Throws BadInput if the bytes do not fit.
  void restore_state(std::span<const std::byte> state);

  /// Figures for /summary: names that start with "modelled_" come from the cost model, with "measured_" from
  /// the clock.
  [[nodiscard]] std::map<std::string, double> finish(std::span<const EpochRecord> epochs) const;

 private:
  RunCosts costs_;
  std::vector<std::int64_t> last_switch_;  // step, by layer
};

}  // namespace adapt
