#pragma once

#include <span>
#include <vector>

#include "base/aligned.hpp"
#include "nn/parameters.hpp"

namespace adapt {

/// Coefficients of the update.
struct UpdateOptions {
  double momentum = 0.9;
  double weight_decay = 0;      ///< β: adds β·W to the gradient
  double l1 = 0;                ///< α: adds α·sign(W) to the gradient
  bool unit_gradients = false;  ///< divide each layer's gradient by its norm (AdaPT)
};

/// Stochastic gradient descent with momentum on the float32 master copies: v ← μ·v + g, W ← W - rate·v. Every
/// rank computes the same.
class Optimizer {
 public:
  Optimizer(const ModelState& state, const UpdateOptions& options);

  /// The mean gradient of parameter `index`, to be filled in before prepare().
  std::span<float> gradient(std::size_t index) { return gradients_[index]; }

  /// Momentum of parameter `index`; what a checkpoint keeps of the optimizer.
  std::span<float> velocity(std::size_t index) { return velocities_[index]; }
  [[nodiscard]] std::span<const float> velocity(std::size_t index) const { return velocities_[index]; }

  /// Adds the gradient of the regularization and, where asked for, divides by the norm: one norm for all
  /// tensors of a quantized layer, so that weight and bias keep their proportion; a gradient of norm 0 stays.
  void prepare(const ModelState& state);

  /// Moves the master copies. `rate` is the learning rate.
  void update(ModelState& state, double rate);

 private:
  UpdateOptions options_;
  std::vector<AlignedVector<float>> gradients_;
  std::vector<AlignedVector<float>> velocities_;
};

/// α·‖W‖₁ + (β/2)·‖W‖₂² over all parameters' master copies.
double regularization_loss(const ModelState& state, double l1, double weight_decay);

}  // namespace adapt
