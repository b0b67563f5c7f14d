#include "precision/window.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

namespace adapt {
namespace {

// Partial sums side by side, each over every eighth element: fast and always in the same order.
double norm_of(std::span<const float> values) {
  constexpr std::size_t kLanes = 8;
  std::array<double, kLanes> lanes = {};
  std::size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const double value = values[i + lane];
      lanes[lane] += value * value;
    }
  }
  double sum = 0;
  for (const double lane : lanes) {
    sum += lane;
  }
  for (; i < values.size(); ++i) {
    const double value = values[i];
    sum += value * value;
  }
  return std::sqrt(sum);
}

}  // namespace

void GradientWindow::add(std::span<const float> gradient, double norm) {
  for (std::size_t i = 0; i < sum_.size(); ++i) {
    sum_[i] += gradient[i];
  }
  norm_sum_ += norm;
  ++steps_;
}

double GradientWindow::diversity() const {
  const double norm = norm_of(sum_);
  if (norm == 0) {
    return std::numeric_limits<double>::infinity();
  }
  return std::max(norm_sum_ / norm, 1.0);
}

void GradientWindow::clear() {
  std::ranges::fill(sum_, 0.0F);
  norm_sum_ = 0;
  steps_ = 0;
}

void GradientWindow::restore(std::vector<float> sum, double norm_sum, int steps) {
  sum_ = std::move(sum);
  norm_sum_ = norm_sum;
  steps_ = steps;
}

int next_lookback(int lookback, double diversity, const AdaptPolicyOptions& options) {
  const double wanted =
      std::clamp(std::ceil(options.lookback_upper / diversity), static_cast<double>(options.lookback_lower),
                 static_cast<double>(options.lookback_upper));
  // γ · lb_new + (1 - γ) · lb, written so that lb_new = lb gives lb; what rounding of γ adds to a whole
  // number must not cost a step.
  constexpr double kRounding = 1e-9;
  const double mixed = lookback + options.lookback_momentum * (wanted - lookback);
  return static_cast<int>(std::ceil(mixed - kRounding));
}

int next_resolution(int resolution, int lookback, const AdaptPolicyOptions& options) {
  if (lookback == options.lookback_upper) {
    ++resolution;
  }
  if (lookback == options.lookback_lower) {
    --resolution;
  }
  return std::clamp(resolution, options.resolution_lower, options.resolution_upper);
}

}  // namespace adapt
