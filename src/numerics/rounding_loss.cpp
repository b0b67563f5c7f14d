#include "numerics/rounding_loss.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "numerics/divergence.hpp"

namespace adapt {
namespace {

constexpr std::size_t kValuesEvery = 7;

/// Calls body(element, steps) for the numbers of the sample among `count` from element `first` on, in steps
/// of a grid with `scale` of them to the unit.
template <class Body>
void for_sample(std::size_t first, std::size_t count, const vector::Numbers& numbers, float scale,
                Body body) {
  const auto steps_of = [&](std::size_t i) {
    if (numbers.floats != nullptr) {
      return numbers.floats[i] * scale;
    }
    const auto integer =
        numbers.bytes != nullptr ? static_cast<float>(numbers.bytes[i]) : static_cast<float>(numbers.sums[i]);
    return integer * numbers.step * scale;
  };
  constexpr std::size_t kBlock = LossCounter::kSampleBlock;
  for (std::size_t i = 0; i < count;) {
    const std::size_t block = (first + i) / kBlock;
    const std::size_t end = std::min(count, (block + 1) * kBlock - first);
    for (; block % LossCounter::kSampleEvery == 0 && i < end; ++i) {
      body(first + i, steps_of(i));
    }
    i = end;
  }
}

/// Moments of magnitudes spread evenly over an octave from `low` on.
struct Octave {
  explicit Octave(double low) : mean(1.5 * low), square(7.0 / 3 * low * low) {}
  double mean;
  double square;
};

}  // namespace

void LossCounter::begin(FixedFormat format, Rounding rounding) {
  *this = LossCounter();
  format_ = format;
  rounding_ = rounding;
}

std::size_t LossCounter::bin_of(float steps) {
  if (steps == 0) {
    return 0;
  }
  constexpr int kHighestOctave = kLowestOctave + static_cast<int>(kBins) - 2;
  constexpr int kBias = 127;
  constexpr unsigned kMantissaBits = 23;
  // The exponent's bits: what has none, a denormal number, lies below the lowest octave anyway.
  const auto exponent = static_cast<int>((std::bit_cast<std::uint32_t>(std::abs(steps)) >> kMantissaBits));
  const int octave = std::clamp(exponent - kBias, kLowestOctave, kHighestOctave);
  return static_cast<std::size_t>(octave - kLowestOctave) + 1;
}

void LossCounter::add_before(std::size_t first, std::size_t count, const vector::Numbers& numbers) {
  const auto lowest = static_cast<float>(format_.lowest());
  const auto highest = static_cast<float>(format_.highest());
  for_sample(first, count, numbers, format_.scale(), [&](std::size_t element, float steps) {
    ++elements_;
    saturated_ += static_cast<std::int64_t>(steps < lowest || steps > highest);
    ++before_[bin_of(steps)];
    if (element % kValuesEvery == 0) {
      values_.push_back(steps * format_.step());
    }
  });
}

void LossCounter::add_after(std::size_t first, std::size_t count, const vector::Numbers& numbers) {
  for_sample(first, count, numbers, format_.scale(),
             [&](std::size_t /*element*/, float steps) { ++after_[bin_of(steps)]; });
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

double LossCounter::squared_error(int octave) const {
  const double step = std::ldexp(1.0, octave);
  const double limit = std::ldexp(step, format_.word_length - 1);
  double sum = 0;
  for (std::size_t bin = 1; bin < kBins; ++bin) {
    const double low = std::ldexp(1.0, static_cast<int>(bin) - 1 + kLowestOctave);
    const Octave magnitudes(low);
    double error = 0;
    if (low >= limit) {
      error = magnitudes.square - 2 * limit * magnitudes.mean + limit * limit;
    } else if (rounding_ == Rounding::stochastic) {
      // The variance: of a share f of a step, f (1 - f) of its square.
      error = low >= step ? step * step / 6 : step * magnitudes.mean - magnitudes.square;
    } else {
      // What is below half a step becomes zero.
      error = low >= step / 2 ? step * step / 12 : magnitudes.square;
    }
    sum += static_cast<double>(before_[bin]) * error;
  }
  return sum;
}

int LossCounter::least_error_fractional_length() const {
  if (before_[0] == elements_) {
    return format_.fractional_length;
  }
  // From a grid that holds everything down to one that holds the smallest magnitudes only.
  int best = kLowestOctave + static_cast<int>(kBins);
  double least = squared_error(best);
  for (int octave = best - 1; octave >= kLowestOctave - format_.word_length; --octave) {
    const double error = squared_error(octave);
    if (error < least) {
      least = error;
      best = octave;
    }
  }
  return format_.fractional_length - best;
}

}  // namespace adapt
