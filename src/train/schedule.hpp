#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/state_bytes.hpp"
#include "train/options.hpp"

namespace adapt {

/// The learning rate over a run. A door: one class, and a word in each list of schedule_registry.hpp.
class Schedule {
 public:
  virtual ~Schedule() = default;
  Schedule() = default;
  Schedule(const Schedule&) = delete;
  Schedule& operator=(const Schedule&) = delete;

  /// Factor on the base rate at `progress` epochs since the start (fractions are steps within an epoch).
  [[nodiscard]] virtual double factor(double progress) const = 0;
  /// Told at the end of each epoch with its mean training loss.
  virtual void end_epoch(double /*train_loss*/) {}
  /// What end_epoch() and set_final_phase() left, for a checkpoint.
  virtual void save_state(StateWriter& /*writer*/) const {}
  /// Puts back what save_state() of the same options wrote. Throws BadInput if the bytes do not fit.
  virtual void restore_state(StateReader& /*reader*/) {}
  /// Told at the end of each epoch how many epochs were done when the policy's final phase began; negative
  /// before that.
  virtual void set_final_phase(double /*epochs_done*/) {}
};

/// Makes the schedule `options.name` for a run (or, where that is the origin, a final phase) of `epochs`;
/// warm-up comes on top of it.
std::unique_ptr<Schedule> make_schedule(const ScheduleOptions& options, int epochs);

}  // namespace adapt
