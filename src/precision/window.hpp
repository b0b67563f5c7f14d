#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "precision/options.hpp"

namespace adapt {

/// The gradients g of the steps since a layer's last precision switch: k of them, their sum G and the sum S
/// of their norms.
class GradientWindow {
 public:
  explicit GradientWindow(std::size_t parameters) : sum_(parameters) {}

  /// k + 1, G + g, S + ‖g‖₂. G is kept in float32: at most lb_upr numbers of norm about 1 are added.
  void add(std::span<const float> gradient, double norm);
  /// Gradient diversity Δ = S / ‖G‖₂ >= 1 (the triangle inequality; rounding below 1 is lifted to it); +inf
  /// if G = 0. Sums in a fixed order, so that the result does not depend on the vector width.
  [[nodiscard]] double diversity() const;
  [[nodiscard]] int steps() const { return steps_; }
  void clear();

  [[nodiscard]] std::span<const float> sum() const { return sum_; }
  [[nodiscard]] double norm_sum() const { return norm_sum_; }
  /// Puts back what sum(), norm_sum() and steps() gave.
  void restore(std::vector<float> sum, double norm_sum, int steps);

 private:
  std::vector<float> sum_;
  double norm_sum_ = 0;
  int steps_ = 0;
};

/// lb after a window of diversity Δ: with lb_new = clamp(ceil(lb_upr / Δ), lb_lwr, lb_upr), it is
/// ceil(γ · lb_new + (1 - γ) · lb). As published, the rounding up keeps lb above lb_new when it falls
/// (by up to 3 steps at γ = 0.33).
int next_lookback(int lookback, double diversity, const AdaptPolicyOptions& options);

/// r after a window that left the lookback at `lookback`: one more at lb_upr, one less at lb_lwr, within
/// [r_lwr, r_upr].
int next_resolution(int resolution, int lookback, const AdaptPolicyOptions& options);

}  // namespace adapt
