#include "numerics/rounding_loss.hpp"

#include <algorithm>
#include <cmath>

#include "numerics/divergence.hpp"

namespace adapt {
namespace {

/// The number at `i`, in steps of a grid with `scale` of them to the unit.
float in_steps(const vector::Numbers& numbers, std::size_t i, float scale) {
  if (numbers.floats != nullptr) {
    return numbers.floats[i] * scale;
  }
  const auto integer = numbers.bytes != nullptr ? static_cast<float>(numbers.bytes[i])
                                                : static_cast<float>(numbers.sums[i]);
  return integer * numbers.step * scale;
}

}  // namespace

std::size_t LossCounter::bin_of(float steps) {
  if (steps == 0) {
    return 0;
  }
  constexpr int kHighestOctave = kLowestOctave + static_cast<int>(kBins) - 2;
  const int octave = std::clamp(std::ilogb(steps), kLowestOctave, kHighestOctave);
  return static_cast<std::size_t>(octave - kLowestOctave) + 1;
}

void LossCounter::add_before(const vector::Numbers& numbers, std::size_t count, FixedFormat format) {
  const float scale = format.scale();
  const auto lowest = static_cast<float>(format.lowest());
  const auto highest = static_cast<float>(format.highest());
  elements_ += static_cast<std::int64_t>(count);
  for (std::size_t i = 0; i < count; ++i) {
    const float steps = in_steps(numbers, i, scale);
    saturated_ += static_cast<std::int64_t>(steps < lowest || steps > highest);
    ++before_[bin_of(steps)];
  }
}

void LossCounter::add_after(const float* numbers, std::size_t count, FixedFormat format) {
  const float scale = format.scale();
  for (std::size_t i = 0; i < count; ++i) {
    ++after_[bin_of(numbers[i] * scale)];
  }
}

void LossCounter::add_after(const std::int8_t* integers, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    ++after_[bin_of(static_cast<float>(integers[i]))];
  }
}

RoundingLoss LossCounter::loss() const {
  if (elements_ == 0) {
    return {};
  }
  const auto nonzero = static_cast<double>(elements_ - before_[0]);
  return {.zeroed = nonzero == 0 ? 0 : static_cast<double>(after_[0] - before_[0]) / nonzero,
          .saturated = static_cast<double>(saturated_) / static_cast<double>(elements_),
          .divergence = kl_divergence(before_, after_, kLossSmoothing)};
}

}  // namespace adapt
