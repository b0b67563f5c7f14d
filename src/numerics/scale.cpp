#include "numerics/scale.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "base/error.hpp"
#include "numerics/quantize.hpp"

namespace adapt {

namespace {

void widen(float value, float& lowest, float& highest) {
  lowest = value < lowest ? value : lowest;
  highest = value > highest ? value : highest;
}

}  // namespace

Extremes extremes(std::span<const float> values) {
  // Lanes side by side, so that the compiler can take several at once.
  constexpr std::size_t kLanes = 16;
  std::array<float, kLanes> lowest = {};
  std::array<float, kLanes> highest = {};
  const std::size_t whole = values.size() / kLanes * kLanes;
  for (std::size_t first = 0; first < whole; first += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      widen(values[first + lane], lowest[lane], highest[lane]);
    }
  }
  for (std::size_t i = whole; i < values.size(); ++i) {
    widen(values[i], lowest[i - whole], highest[i - whole]);
  }
  return {*std::ranges::min_element(lowest), *std::ranges::max_element(highest)};
}

int fitting_fractional_length(int word_length, Extremes range) {
  const double half_range = std::ldexp(1.0, word_length - 1);
  // An end of 0 gives infinity, which the other one beats.
  const double above = std::abs((half_range - 0.5) / range.highest);
  const double below = std::abs((-half_range - 0.5) / range.lowest);
  const double ratio = std::min(above, below);
  if (std::isnan(ratio) || std::isinf(ratio)) {
    throw Failure(concat("no scale fits a tensor of extremes ", range.lowest, " and ", range.highest));
  }
  // For an infinite end the ratio is 0 and ilogb is below every limit.
  return std::clamp(std::ilogb(ratio), kMinFractionalLength, kMaxFractionalLength);
}

}  // namespace adapt
