#include "train/optimizer.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace adapt {
namespace {

/// Elements of a piece: a few arrays of it stay in the first-level cache.
constexpr std::size_t kPiece = 2048;
static_assert(kPiece % PiecewiseSum::kLanes == 0);

/// Calls piece(first, count) for all pieces of an array.
template <class Piece>
void for_pieces(std::size_t size, Piece piece) {
  for (std::size_t first = 0; first < size; first += kPiece) {
    piece(first, std::min(kPiece, size - first));
  }
}

float sign(float value) { return static_cast<float>((value > 0) - (value < 0)); }

void add_decay(std::span<float> gradient, std::span<const float> master, float decay) {
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    gradient[i] += decay * master[i];
  }
}

void add_decay_and_l1(std::span<float> gradient, std::span<const float> master, float decay, float l1) {
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    gradient[i] += decay * master[i] + l1 * sign(master[i]);
  }
}

void move(std::span<float> master, std::span<float> velocity, std::span<const float> gradient, float momentum,
          float step) {
  for (std::size_t i = 0; i < master.size(); ++i) {
    velocity[i] = momentum * velocity[i] + gradient[i];
    master[i] -= step * velocity[i];
  }
}

}  // namespace

Optimizer::Optimizer(const ModelState& state, const UpdateOptions& options)
    : options_(options), squares_(state.parameters.size()) {
  for (const Parameter& parameter : state.parameters) {
    gradients_.emplace_back(parameter.master.size(), 0.0F);
    velocities_.emplace_back(parameter.master.size(), 0.0F);
  }
}

void Optimizer::take(std::size_t index, std::span<const float> master, const MeanGradient& mean) {
  const auto decay = static_cast<float>(options_.weight_decay);
  const auto l1 = static_cast<float>(options_.l1);
  PiecewiseSum squares;
  PiecewiseSum master_squares;
  PiecewiseSum master_magnitudes;
  for_pieces(master.size(), [&](std::size_t first, std::size_t count) {
    const std::span gradient = std::span(gradients_[index]).subspan(first, count);
    const std::span<const float> weights = master.subspan(first, count);
    mean(index, first, gradient);
    if (l1 != 0) {
      add_decay_and_l1(gradient, weights, decay, l1);
      master_magnitudes.add_magnitudes(weights);
    } else if (decay != 0) {
      add_decay(gradient, weights, decay);
    }
    if (decay != 0) {
      master_squares.add_squares(weights);
    }
    squares.add_squares(gradient);
  });
  squares_[index] = squares.value();
  regularization_loss_ +=
      options_.l1 * master_magnitudes.value() + options_.weight_decay / 2 * master_squares.value();
}

void Optimizer::divide(std::size_t index, double norm) {
  const double factor = 1 / norm;  // may be beyond float32 where gradients are tiny
  PiecewiseSum squares;
  for_pieces(gradients_[index].size(), [&](std::size_t first, std::size_t count) {
    const std::span gradient = std::span(gradients_[index]).subspan(first, count);
    for (float& value : gradient) {
      value = static_cast<float>(value * factor);
    }
    squares.add_squares(gradient);
  });
  squares_[index] = squares.value();
}

void Optimizer::prepare(const ModelState& state, const MeanGradient& mean) {
  regularization_loss_ = 0;
  std::map<int, double> squares;  // by quantized layer
  for (std::size_t p = 0; p < gradients_.size(); ++p) {
    take(p, state.parameters[p].master, mean);
    squares[state.parameters[p].layer] += squares_[p];
  }
  for (std::size_t p = 0; options_.unit_gradients && p < gradients_.size(); ++p) {
    const int layer = state.parameters[p].layer;
    if (layer >= 0 && squares[layer] != 0) {
      divide(p, std::sqrt(squares[layer]));
    }
  }
}

double Optimizer::gradient_norm(std::size_t index) const { return std::sqrt(squares_[index]); }

std::vector<Extremes> Optimizer::update(ModelState& state, double rate) {
  const auto momentum = static_cast<float>(options_.momentum);
  const auto step = static_cast<float>(rate);
  std::vector<Extremes> all(gradients_.size());
  for (std::size_t p = 0; p < gradients_.size(); ++p) {
    const std::span<float> master = state.parameters[p].master;
    for_pieces(master.size(), [&](std::size_t first, std::size_t count) {
      const std::span<float> piece = master.subspan(first, count);
      move(piece, velocity(p).subspan(first, count), gradient(p).subspan(first, count), momentum, step);
      const Extremes range = extremes(piece);
      all[p] = {std::min(all[p].lowest, range.lowest), std::max(all[p].highest, range.highest)};
    });
  }
  return all;
}

}  // namespace adapt
