#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

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

/// Counts how the magnitudes of a tensor are spread over octaves before and after it is put on a grid, of a
/// sample: of its first kSampleBlock elements, and of as many in every kSampleEvery blocks of that size (an
/// odd number, or they would be the same rows of all images). Which elements that are does not depend on the
/// parts that it comes in, and counts are integers, so nothing depends on the order of these.
class LossCounter {
 public:
  static constexpr std::size_t kSampleBlock = 1024;
  static constexpr std::size_t kSampleEvery = 31;

  /// Starts a tensor that is put on the grid of `format`.
  void begin(FixedFormat format, Rounding rounding);
  /// Elements `first` to `first + count - 1` before, and the same ones afterwards, as float32 or as integers.
  /// No NaN.
  void add_before(std::size_t first, std::size_t count, const vector::Numbers& numbers);
  void add_after(std::size_t first, std::size_t count, const vector::Numbers& numbers);

  /// Whether nothing was counted.
  [[nodiscard]] bool is_empty() const { return elements_ == 0; }
  [[nodiscard]] const FixedFormat& format() const { return format_; }
  /// Of all that was counted; nothing is lost where nothing was.
  [[nodiscard]] RoundingLoss loss() const;
  /// The fractional length that gives a tensor of such magnitudes the least squared error, rounded and
  /// clipped, at the word length of the format: the expected error, with magnitudes spread evenly over each
  /// octave. Of equal ones the smallest; that of the format where nothing but zeros was counted.
  [[nodiscard]] int least_error_fractional_length() const;
  /// Of the numbers that were counted, those of every seventh element, before rounding: seven, as channels
  /// come in other numbers. In the order of the parts.
  [[nodiscard]] std::span<const float> values() const { return values_; }

 private:
  /// Octaves of a magnitude in steps of the grid: those below 2^-30 and from 2^33 on count as the first and
  /// the last one. In front of them, zero.
  static constexpr int kLowestOctave = -31;
  static constexpr std::size_t kBins = 66;
  using Histogram = std::array<std::int64_t, kBins>;

  static std::size_t bin_of(float steps);
  /// Of all that was counted, on a grid of 2^octave of the format's steps.
  [[nodiscard]] double squared_error(int octave) const;

  FixedFormat format_;
  Rounding rounding_ = Rounding::nearest;
  std::int64_t elements_ = 0;
  std::int64_t saturated_ = 0;
  Histogram before_ = {};
  Histogram after_ = {};
  std::vector<float> values_;
};

}  // namespace adapt
