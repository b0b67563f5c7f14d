#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "numerics/format.hpp"

namespace adapt {

/// `count` bins of equal width over [lower, upper]. Numbers outside fall into the end bins, the number
/// `upper` into the last one. In a range of no width, numbers below it fall into the first bin, its one
/// number into bin count / 2, numbers above it into the last bin.
class Bins {
 public:
  /// Throws Failure unless lower <= upper, both finite, and count >= 1.
  Bins(double lower, double upper, int count);

  [[nodiscard]] int count() const { return count_; }
  /// The bin of `value` (not NaN), 0 .. count - 1. Never falls as `value` grows.
  [[nodiscard]] int index(double value) const {
    if (value < lower_) {
      return 0;
    }
    if (value > upper_) {
      return count_ - 1;
    }
    if (lower_ == upper_) {
      return count_ / 2;
    }
    const int bin = static_cast<int>((value - lower_) * bins_per_unit_);
    return bin < count_ ? bin : count_ - 1;
  }

 private:
  double lower_;
  double upper_;
  double bins_per_unit_ = 0;
  int count_;
};

/// The values of a tensor in ascending order. Quantization never changes the order of two numbers, so with
/// the values sorted once, the histogram of the tensor under any format takes count · log2(n) comparisons
/// instead of a pass over n values.
class SortedValues {
 public:
  /// Copies and sorts `values`: radix sort, O(n). Throws Failure if there are none.
  explicit SortedValues(std::span<const float> values);

  /// No NaN and no Inf. The members below require it.
  [[nodiscard]] bool finite() const;
  [[nodiscard]] float lowest() const { return values_.front(); }
  [[nodiscard]] float highest() const { return values_.back(); }
  /// Largest absolute value.
  [[nodiscard]] float magnitude() const;
  /// The values themselves, ascending.
  [[nodiscard]] std::span<const float> values() const { return values_; }

  /// How many values fall into each bin.
  [[nodiscard]] std::vector<std::int64_t> histogram(const Bins& bins) const;
  /// How many values fall into each bin after quantization to `format`, rounded to nearest (ties to even).
  [[nodiscard]] std::vector<std::int64_t> histogram(const Bins& bins, FixedFormat format) const;

 private:
  template <class BinOf>
  [[nodiscard]] std::vector<std::int64_t> count_by(int bins, BinOf bin_of) const;

  std::vector<float> values_;
};

}  // namespace adapt
