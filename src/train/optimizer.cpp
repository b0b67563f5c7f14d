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

/// The length that the gradient of a parameter is brought to, on its own or with others; 0: it keeps its own.
double length_wanted(const Parameter& parameter, Normalize normalize) {
  switch (normalize) {
    case Normalize::yes:
    case Normalize::tensor:
      return 1;
    case Normalize::relative:
      return parameter.role == ParameterRole::weight ? std::sqrt(sum_squares(parameter.master)) : 0;
    case Normalize::automatic:
    case Normalize::no:
      break;
  }
  return 0;
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

void Optimizer::take(std::size_t index, const Parameter& parameter, const MeanGradient& mean) {
  const std::span<const float> master = parameter.master;
  const bool decays = options_.decayed == Decayed::all || parameter.role == ParameterRole::weight;
  const auto decay = static_cast<float>(decays ? options_.weight_decay : 0);
  const auto l1 = static_cast<float>(decays ? options_.l1 : 0);
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

void Optimizer::multiply(std::size_t index, double factor) {
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
  for (std::size_t p = 0; p < gradients_.size(); ++p) {
    take(p, state.parameters[p], mean);
  }
  normalize(state);
}

void Optimizer::normalize(const ModelState& state) {
  std::map<int, double> of_layer;
  for (std::size_t p = 0; p < gradients_.size(); ++p) {
    of_layer[state.parameters[p].layer] += squares_[p];
  }
  for (std::size_t p = 0; p < gradients_.size(); ++p) {
    const Parameter& parameter = state.parameters[p];
    const double length = length_wanted(parameter, options_.normalize);
    const double squares = options_.normalize == Normalize::yes ? of_layer[parameter.layer] : squares_[p];
    if (parameter.layer >= 0 && length != 0 && squares != 0) {
      multiply(p, length / std::sqrt(squares));  // may be beyond float32 where gradients are tiny
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
