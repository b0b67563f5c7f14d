#include "precision/push_down.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "numerics/divergence.hpp"

namespace adapt {
namespace {

class FormatSearch {
 public:
  FormatSearch(const SortedValues& weights, const InformationBound& bound)
      : weights_(weights),
        bound_(bound),
        bins_(weights.lowest(), weights.highest(), bound.resolution),
        original_(weights.histogram(bins_)) {
    // magnitude < 2^exponent_; for all-zero weights so that the search starts at FL = 0.
    exponent_ = weights.magnitude() > 0 ? std::ilogb(weights.magnitude()) + 1 : -1;
  }

  [[nodiscard]] double divergence(FixedFormat format) const {
    return kl_divergence(original_, weights_.histogram(bins_, format), bound_.smoothing);
  }

  [[nodiscard]] bool passes(FixedFormat format) const { return divergence(format) <= bound_.epsilon; }

  /// The largest FL at which no weight saturates.
  [[nodiscard]] int finest(int word_length) const { return within_bounds(word_length - 1 - exponent_); }

  [[nodiscard]] std::optional<int> smallest_fractional_length(int word_length) const {
    int upper = finest(word_length);
    if (!passes({word_length, upper})) {
      return std::nullopt;
    }
    int lower = within_bounds(-exponent_ - 1);  // there every weight is at most half a step
    while (lower < upper) {
      const int middle = lower + (upper - lower) / 2;
      if (passes({word_length, middle})) {
        upper = middle;
      } else {
        lower = middle + 1;
      }
    }
    return upper;
  }

  /// ⟨word_length, fractional_length⟩ must pass.
  [[nodiscard]] int smallest_word_length(int word_length, int fractional_length) const {
    int upper = word_length;
    int lower = kLowestWordLength;
    while (lower < upper) {
      const int middle = lower + (upper - lower) / 2;
      if (passes({middle, fractional_length})) {
        upper = middle;
      } else {
        lower = middle + 1;
      }
    }
    return upper;
  }

 private:
  static int within_bounds(int fractional_length) {
    return std::clamp(fractional_length, kLowestFractionalLength, kHighestFractionalLength);
  }

  const SortedValues& weights_;
  const InformationBound& bound_;
  Bins bins_;
  std::vector<std::int64_t> original_;
  int exponent_;
};

}  // namespace

PushDownResult push_down(const SortedValues& weights, int word_length, const InformationBound& bound) {
  const FormatSearch search(weights, bound);
  std::optional<int> fractional_length = search.smallest_fractional_length(word_length);
  if (!fractional_length && word_length < kHighestWordLength) {
    word_length = kHighestWordLength;
    fractional_length = search.smallest_fractional_length(word_length);
  }
  if (!fractional_length) {
    const FixedFormat widest{kHighestWordLength, search.finest(kHighestWordLength)};
    return {widest, search.divergence(widest), false};
  }
  const FixedFormat format{search.smallest_word_length(word_length, *fractional_length), *fractional_length};
  return {format, search.divergence(format), true};
}

PushDownResult push_down(std::span<const float> weights, const PushDownJob& job) {
  const SortedValues sorted(weights);
  if (!sorted.finite()) {
    return {.format = {}, .divergence = 0, .satisfied = false, .finite = false};
  }
  return push_down(sorted, job.word_length, job.bound);
}

}  // namespace adapt
