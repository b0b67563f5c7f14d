#include "numerics/histogram.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <utility>

#include "base/error.hpp"

namespace adapt {
namespace {

constexpr std::uint32_t kSignBit = 0x80000000U;
constexpr int kDigitBits = 11;
constexpr std::size_t kDigits = 3;
constexpr std::size_t kRadix = 1U << kDigitBits;
constexpr std::size_t kFewValues = 1024;  // below, comparing beats three tables of kRadix counters

// An integer that orders as the number does: flips all bits of negative numbers, the sign of the others.
std::uint32_t order_key(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return bits ^ ((bits & kSignBit) != 0 ? ~0U : kSignBit);
}

float value_of(std::uint32_t key) {
  return std::bit_cast<float>(key ^ ((key & kSignBit) != 0 ? kSignBit : ~0U));
}

std::size_t digit(std::uint32_t key, std::size_t position) {
  return (key >> (position * kDigitBits)) & (kRadix - 1);
}

// Least significant digit first; each pass keeps the order of the one before.
void radix_sort(std::vector<std::uint32_t>& keys) {
  std::array<std::array<std::uint32_t, kRadix>, kDigits> starts = {};
  for (const std::uint32_t key : keys) {
    for (std::size_t d = 0; d < kDigits; ++d) {
      ++starts[d][digit(key, d)];
    }
  }
  std::vector<std::uint32_t> other(keys.size());
  for (std::size_t d = 0; d < kDigits; ++d) {
    std::uint32_t next = 0;
    for (std::uint32_t& start : starts[d]) {
      next += std::exchange(start, next);
    }
    for (const std::uint32_t key : keys) {
      other[starts[d][digit(key, d)]++] = key;
    }
    keys.swap(other);
  }
}

// The double nearest to x that is an integer, ties to even, for |x| < 2^51: adding 1.5 · 2^52 leaves no bits
// for a fraction. (The library call for this is not inlined on the baseline instruction set.)
double round_to_even(double x) {
  constexpr double kNoFraction = 6755399441055744.0;
  return (x + kNoFraction) - kNoFraction;
}

}  // namespace

Bins::Bins(double lower, double upper, int count) : lower_(lower), upper_(upper), count_(count) {
  if (count < 1 || !std::isfinite(lower) || !std::isfinite(upper) || lower > upper) {
    throw Failure(concat("histogram of ", count, " bins over [", lower, ", ", upper,
                         "]: needs at least one bin and a finite range"));
  }
  if (lower < upper) {
    bins_per_unit_ = count / (upper - lower);
  }
}

SortedValues::SortedValues(std::span<const float> values) : values_(values.size()) {
  if (values.empty()) {
    throw Failure("no values to sort for a histogram");
  }
  std::vector<std::uint32_t> keys(values.size());
  std::ranges::transform(values, keys.begin(), order_key);
  if (keys.size() < kFewValues) {
    std::ranges::sort(keys);
  } else {
    radix_sort(keys);
  }
  std::ranges::transform(keys, values_.begin(), value_of);
}

// NaN and Inf sort to the ends.
bool SortedValues::finite() const { return std::isfinite(lowest()) && std::isfinite(highest()); }

float SortedValues::magnitude() const { return std::max(std::abs(lowest()), std::abs(highest())); }

// `bin_of` must not fall over the sorted values: the values of a bin are neighbours, and a binary search
// finds where the next bin starts.
template <class BinOf>
std::vector<std::int64_t> SortedValues::count_by(int bins, BinOf bin_of) const {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(bins));
  auto start = values_.begin();
  while (start != values_.end()) {
    const int bin = bin_of(*start);
    const auto next = std::partition_point(start, values_.end(), [&](float v) { return bin_of(v) <= bin; });
    counts[static_cast<std::size_t>(bin)] = next - start;
    start = next;
  }
  return counts;
}

std::vector<std::int64_t> SortedValues::histogram(const Bins& bins) const {
  return count_by(bins.count(), [&](float value) { return bins.index(value); });
}

std::vector<std::int64_t> SortedValues::histogram(const Bins& bins, FixedFormat format) const {
  const double scale = std::ldexp(1.0, format.fractional_length);
  const double step = std::ldexp(1.0, -format.fractional_length);
  const auto lowest_q = static_cast<double>(format.lowest());
  const auto highest_q = static_cast<double>(format.highest());
  return count_by(bins.count(), [&](float value) {
    const double q = round_to_even(std::clamp(value * scale, lowest_q, highest_q));
    return bins.index(q * step);
  });
}

}  // namespace adapt
