#include "train/optimizer.hpp"

#include <cmath>
#include <map>

#include "numerics/sum.hpp"

namespace adapt {
namespace {

float sign(float value) { return static_cast<float>((value > 0) - (value < 0)); }

}  // namespace

Optimizer::Optimizer(const ModelState& state, const UpdateOptions& options) : options_(options) {
  for (const Parameter& parameter : state.parameters) {
    gradients_.emplace_back(parameter.master.size(), 0.0F);
    velocities_.emplace_back(parameter.master.size(), 0.0F);
  }
}

void Optimizer::prepare(const ModelState& state) {
  const auto decay = static_cast<float>(options_.weight_decay);
  const auto l1 = static_cast<float>(options_.l1);
  std::map<int, double> squares;  // by quantized layer
  for (std::size_t p = 0; p < gradients_.size(); ++p) {
    const Parameter& parameter = state.parameters[p];
    AlignedVector<float>& gradient = gradients_[p];
    if (decay != 0 || l1 != 0) {
      for (std::size_t i = 0; i < gradient.size(); ++i) {
        gradient[i] += decay * parameter.master[i] + l1 * sign(parameter.master[i]);
      }
    }
    if (options_.unit_gradients && parameter.layer >= 0) {
      squares[parameter.layer] += sum_squares(gradient);
    }
  }
  for (std::size_t p = 0; p < gradients_.size(); ++p) {
    const auto square = squares.find(state.parameters[p].layer);
    if (square == squares.end() || square->second == 0) {
      continue;
    }
    const double factor = 1 / std::sqrt(square->second);  // may be beyond float32 where gradients are tiny
    for (float& value : gradients_[p]) {
      value = static_cast<float>(value * factor);
    }
  }
}

void Optimizer::update(ModelState& state, double rate) {
  const auto momentum = static_cast<float>(options_.momentum);
  const auto step = static_cast<float>(rate);
  for (std::size_t p = 0; p < gradients_.size(); ++p) {
    AlignedVector<float>& master = state.parameters[p].master;
    AlignedVector<float>& velocity = velocities_[p];
    const AlignedVector<float>& gradient = gradients_[p];
    for (std::size_t i = 0; i < master.size(); ++i) {
      velocity[i] = momentum * velocity[i] + gradient[i];
      master[i] -= step * velocity[i];
    }
  }
}

double regularization_loss(const ModelState& state, double l1, double weight_decay) {
  double loss = 0;
  for (const Parameter& parameter : state.parameters) {
    if (l1 != 0) {
      loss += l1 * sum_abs(parameter.master);
    }
    if (weight_decay != 0) {
      loss += weight_decay / 2 * sum_squares(parameter.master);
    }
  }
  return loss;
}

}  // namespace adapt
