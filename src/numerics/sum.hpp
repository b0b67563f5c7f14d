#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace adapt {

// Sums of float32 arrays with the same bits on every machine: element i goes to partial sum i mod 16 in
// double, and the 16 partial sums are added pairwise (j and j + 8, then j and j + 4, ...).

/// Such a sum over an array that comes in pieces: the same bits as in one piece.
class PiecewiseSum {
 public:
  /// Every piece but the last is a multiple of these elements.
  static constexpr std::size_t kLanes = 16;

  /// Both take the next elements, and throw Failure when the piece before was not a multiple of kLanes.
  void add_squares(std::span<const float> values);
  void add_magnitudes(std::span<const float> values);
  [[nodiscard]] double value() const;

 private:
  double* next(std::size_t size);

  std::array<double, kLanes> lanes_ = {};
  bool ended_ = false;
};

/// Sum of values[i]², each square exact. NaN or Inf if any element is.
[[nodiscard]] double sum_squares(std::span<const float> values);

/// Sum of |values[i]|. NaN or Inf if any element is.
[[nodiscard]] double sum_abs(std::span<const float> values);

/// How many elements are not zero; NaN counts, -0 does not.
[[nodiscard]] std::int64_t count_nonzero(std::span<const float> values);

/// The largest |values[i]|, 0 for an empty span, NaN if any element is NaN.
[[nodiscard]] float maximum_magnitude(std::span<const float> values);

}  // namespace adapt
