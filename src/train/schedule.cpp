#include "train/schedule.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <numbers>
#include <utility>

#include "numerics/functions.hpp"

namespace adapt {
namespace {

class Constant : public Schedule {
 public:
  [[nodiscard]] double factor(double /*progress*/) const override { return 1; }
};

/// From 1 to the minimum along half a cosine (Loshchilov and Hutter 2017, without restarts).
class Cosine : public Schedule {
 public:
  Cosine(int epochs, double minimum) : epochs_(epochs), minimum_(minimum) {}
  [[nodiscard]] double factor(double progress) const override {
    return minimum_ + (1 - minimum_) * 0.5 * (1 + cos(std::numbers::pi * std::min(progress / epochs_, 1.0)));
  }

 private:
  double epochs_;
  double minimum_;
};

/// From 1 to the minimum along a line.
class Linear : public Schedule {
 public:
  Linear(int epochs, double minimum) : epochs_(epochs), minimum_(minimum) {}
  [[nodiscard]] double factor(double progress) const override {
    return 1 - (1 - minimum_) * std::min(progress / epochs_, 1.0);
  }

 private:
  double epochs_;
  double minimum_;
};

class MultiStep : public Schedule {
 public:
  explicit MultiStep(const ScheduleOptions& options)
      : milestones_(options.milestones), factor_(options.factor), minimum_(options.minimum) {}
  [[nodiscard]] double factor(double progress) const override {
    const auto passed =
        std::count_if(milestones_.begin(), milestones_.end(), [&](int m) { return progress >= m; });
    return std::max(power(factor_, passed), minimum_);
  }

 private:
  std::vector<int> milestones_;
  double factor_;
  double minimum_;
};

/// Multiplies the rate when the training loss has not improved (relatively, by more than the threshold) for
/// more than `patience` epochs.
class ReduceOnPlateau : public Schedule {
 public:
  explicit ReduceOnPlateau(const ScheduleOptions& options) : options_(options) {}
  [[nodiscard]] double factor(double /*progress*/) const override { return current_; }

  void end_epoch(double train_loss) override {
    if (train_loss < best_ * (1 - options_.threshold)) {
      best_ = train_loss;
      bad_epochs_ = 0;
      return;
    }
    if (++bad_epochs_ > options_.patience) {
      current_ = std::max(current_ * options_.factor, options_.minimum);
      bad_epochs_ = 0;
    }
  }

  void save_state(StateWriter& writer) const override {
    writer.put(current_);
    writer.put(best_);
    writer.put(bad_epochs_);
  }
  void restore_state(StateReader& reader) override {
    current_ = reader.get<double>();
    best_ = reader.get<double>();
    bad_epochs_ = reader.get<int>();
  }

 private:
  ScheduleOptions options_;
  double current_ = 1;
  double best_ = std::numeric_limits<double>::infinity();
  int bad_epochs_ = 0;
};

/// Another schedule, counted from the start of the policy's final phase; the base rate before.
class FinalPhase : public Schedule {
 public:
  explicit FinalPhase(std::unique_ptr<Schedule> inner) : inner_(std::move(inner)) {}
  [[nodiscard]] double factor(double progress) const override {
    return started(progress) ? inner_->factor(progress - start_) : 1;
  }
  void end_epoch(double train_loss) override {
    if (start_ >= 0) {
      inner_->end_epoch(train_loss);
    }
  }
  void set_final_phase(double epochs_done) override { start_ = epochs_done; }
  void save_state(StateWriter& writer) const override {
    writer.put(start_);
    inner_->save_state(writer);
  }
  void restore_state(StateReader& reader) override {
    start_ = reader.get<double>();
    inner_->restore_state(reader);
  }

 private:
  [[nodiscard]] bool started(double progress) const { return start_ >= 0 && progress >= start_; }

  std::unique_ptr<Schedule> inner_;
  double start_ = -1;
};

/// A linear ramp from 0 in front of another schedule.
class Warmup : public Schedule {
 public:
  Warmup(std::unique_ptr<Schedule> inner, double epochs) : inner_(std::move(inner)), epochs_(epochs) {}
  [[nodiscard]] double factor(double progress) const override {
    const double ramp = progress < epochs_ ? progress / epochs_ : 1;
    return ramp * inner_->factor(progress);
  }
  void end_epoch(double train_loss) override { inner_->end_epoch(train_loss); }
  void set_final_phase(double epochs_done) override { inner_->set_final_phase(epochs_done); }
  void save_state(StateWriter& writer) const override { inner_->save_state(writer); }
  void restore_state(StateReader& reader) override { inner_->restore_state(reader); }

 private:
  std::unique_ptr<Schedule> inner_;
  double epochs_;
};

}  // namespace

std::unique_ptr<Schedule> make_constant_schedule(const ScheduleOptions& /*options*/, int /*epochs*/) {
  return std::make_unique<Constant>();
}

std::unique_ptr<Schedule> make_cosine_schedule(const ScheduleOptions& options, int epochs) {
  return std::make_unique<Cosine>(epochs, options.minimum);
}

std::unique_ptr<Schedule> make_linear_schedule(const ScheduleOptions& options, int epochs) {
  return std::make_unique<Linear>(epochs, options.minimum);
}

std::unique_ptr<Schedule> make_multi_step_schedule(const ScheduleOptions& options, int /*epochs*/) {
  return std::make_unique<MultiStep>(options);
}

std::unique_ptr<Schedule> make_reduce_on_plateau_schedule(const ScheduleOptions& options, int /*epochs*/) {
  return std::make_unique<ReduceOnPlateau>(options);
}

std::unique_ptr<Schedule> make_schedule(const ScheduleOptions& options, int epochs) {
  auto schedule = entry_of(options.name).make(options, epochs);
  if (options.origin == ScheduleOrigin::final_phase) {
    schedule = std::make_unique<FinalPhase>(std::move(schedule));
  }
  if (options.warmup_epochs <= 0) {
    return schedule;
  }
  return std::make_unique<Warmup>(std::move(schedule), options.warmup_epochs);
}

}  // namespace adapt
