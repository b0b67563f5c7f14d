#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "numerics/format.hpp"
#include "numerics/vector/kernels.hpp"

namespace adapt {

/// What a tensor lost when it was put on the grid of a format.
struct RoundingLoss {
  double zeroed = 0;     ///< of the elements that were not zero: the share that is now
  double saturated = 0;  ///< share of all elements that lay beyond the format's range
  /// KL divergence, in nats, of how magnitudes are spread over octaves before from how they are afterwards
  /// (numerics/divergence.hpp, kLossSmoothing). Octaves, because small numbers carry as much as large ones:
  /// in bins of equal width all that becomes zero falls into the bin that it is in already.
  double divergence = 0;

  bool operator==(const RoundingLoss&) const = default;
};

/// Smoothing of RoundingLoss::divergence.
inline constexpr double kLossSmoothing = 1e-4;

/// Counts what a tensor loses, part by part. Counts are integers: the order of parts does not matter.
class LossCounter {
 public:
  /// Elements as they are before they are put on the grid of `format`, and the same ones afterwards, as float32
  /// or integers of it. No NaN.
  void add_before(const vector::Numbers& numbers, std::size_t count, FixedFormat format);
  void add_after(const float* numbers, std::size_t count, FixedFormat format);
  void add_after(const std::int8_t* integers, std::size_t count);

  [[nodiscard]] bool is_empty() const { return elements_ == 0; }
  /// Of all that was added; nothing is lost where nothing was.
  [[nodiscard]] RoundingLoss loss() const;

 private:
  /// Octaves of a magnitude in steps of the grid: below 2^-30 and from 2^33 on are the first and last ones. In
  /// front of them, zero.
  static constexpr int kLowestOctave = -31;
  static constexpr std::size_t kBins = 66;
  using Histogram = std::array<std::int64_t, kBins>;

  static std::size_t bin_of(float steps);

  std::int64_t elements_ = 0;
  std::int64_t saturated_ = 0;
  Histogram before_ = {};
  Histogram after_ = {};
};

}  // namespace adapt
