#include "numerics/scale.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "numerics/dispatch.hpp"
#include "numerics/quantize.hpp"

namespace adapt {

Extremes extremes(std::span<const float> values) {
  Extremes found;
  vector::kernels().extremes(values.data(), values.size(), &found.lowest, &found.highest);
  if (!std::isnan(found.lowest) && !std::isnan(found.highest)) {
    return found;
  }
  found = {};
  for (const float value : values) {
    found.lowest = value < found.lowest ? value : found.lowest;
    found.highest = value > found.highest ? value : found.highest;
  }
  return found;
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
