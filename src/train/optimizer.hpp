#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "base/aligned.hpp"
#include "nn/parameters.hpp"
#include "numerics/scale.hpp"
#include "numerics/sum.hpp"
#include "train/options.hpp"

namespace adapt {

/// Coefficients of the update.
struct UpdateOptions {
  double momentum = 0.9;
  double weight_decay = 0;              ///< β: adds β·W to the gradient
  double l1 = 0;                        ///< α: adds α·sign(W) to the gradient
  Decayed decayed = Decayed::all;       ///< what weight_decay and l1 act on
  Normalize normalize = Normalize::no;  ///< automatic counts as no
};

/// Writes the mean gradient of parameter `index`, elements `first` and following, to `gradient`.
using MeanGradient = std::function<void(std::size_t index, std::size_t first, std::span<float> gradient)>;

/// Stochastic gradient descent with momentum on the float32 master copies: v ← μ·v + g, W ← W - rate·v. Every
/// rank computes the same. All that a step does with an element is done piece by piece while the piece is in
/// the cache: with millions of parameters, it is the passes over memory that take the time.
class Optimizer {
 public:
  Optimizer(const ModelState& state, const UpdateOptions& options);

  /// Momentum of parameter `index`; what a checkpoint keeps of the optimizer.
  std::span<float> velocity(std::size_t index) { return velocities_[index]; }
  [[nodiscard]] std::span<const float> velocity(std::size_t index) const { return velocities_[index]; }

  /// Takes the mean gradients, adds the gradient of the regularization and, where asked for, brings them to
  /// another length: those of quantized layers only; a gradient of norm 0 stays, as one of weights that are
  /// all 0 does.
  void prepare(const ModelState& state, const MeanGradient& mean);

  /// What prepare() made of the gradient of parameter `index`, and its norm.
  [[nodiscard]] std::span<const float> gradient(std::size_t index) const { return gradients_[index]; }
  [[nodiscard]] double gradient_norm(std::size_t index) const;
  /// α·‖W‖₁ + (β/2)·‖W‖₂² over all parameters' master copies that prepare() saw.
  [[nodiscard]] double regularization_loss() const { return regularization_loss_; }

  /// Moves the master copies. `rate` is the learning rate. Returns the extremes of each, now.
  std::vector<Extremes> update(ModelState& state, double rate);

 private:
  void take(std::size_t index, const Parameter& parameter, const MeanGradient& mean);
  /// Brings the gradients of quantized layers to their length.
  void normalize(const ModelState& state);
  void multiply(std::size_t index, double factor);

  UpdateOptions options_;
  std::vector<AlignedVector<float>> gradients_;
  std::vector<AlignedVector<float>> velocities_;
  std::vector<double> squares_;  // of a gradient's elements, their sum
  double regularization_loss_ = 0;
};

}  // namespace adapt
