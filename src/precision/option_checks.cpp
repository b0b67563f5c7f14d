#include "precision/option_checks.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/suggest.hpp"
#include "precision/bounds.hpp"

namespace adapt {
namespace {

template <class T>
void check_range(const std::string& key, T value, T lowest, T highest) {
  if (value >= lowest && value <= highest) {
    return;
  }
  throw BadInput(concat(key, ": is ", value, ", must be in ", lowest, "..", highest));
}

void check_ascending(const std::string& key, const std::vector<int>& values) {
  int before = kLowestWordLength - 1;
  for (const int value : values) {
    check_range(key, value, kLowestWordLength, kHighestWordLength);
    if (value <= before) {
      throw BadInput(concat(key, ": ", value, " after ", before, ", must be ascending"));
    }
    before = value;
  }
}

void check_positive_below_one(const std::string& key, double value) {
  if (value > 0 && value < 1) {
    return;
  }
  throw BadInput(concat(key, ": is ", value, ", must be above 0 and below 1"));
}

void check_order(const std::string& section, const std::string& lower_key, int lower,
                 const std::string& upper_key, int upper) {
  if (lower <= upper) {
    return;
  }
  throw BadInput(
      concat(section, lower_key, ": is ", lower, ", must not exceed ", section, upper_key, " = ", upper));
}

}  // namespace

void check_format(FixedFormat format, const std::string& key) {
  check_range(key + ".word_length", format.word_length, kLowestWordLength, kHighestWordLength);
  check_range(key + ".fractional_length", format.fractional_length, kLowestFractionalLength,
              kHighestFractionalLength);
}

void check_adapt_options(const AdaptPolicyOptions& options) {
  const std::string section = "precision.adapt.";
  check_format({options.word_length, options.fractional_length}, "precision.adapt");
  check_range(section + "lookback_lower", options.lookback_lower, 1, kMostLookback);
  check_range(section + "lookback_upper", options.lookback_upper, 1, kMostLookback);
  check_order(section, "lookback_lower", options.lookback_lower, "lookback_upper", options.lookback_upper);
  check_range(section + "resolution_lower", options.resolution_lower, kFewestBins, kMostBins);
  check_range(section + "resolution_upper", options.resolution_upper, kFewestBins, kMostBins);
  check_order(section, "resolution_lower", options.resolution_lower, "resolution_upper",
              options.resolution_upper);
  check_range(section + "lookback_momentum", options.lookback_momentum, 0.0, 1.0);
  check_range(section + "buffer_bits", options.buffer_bits, 0, kMostBufferBits);
  if (!(options.epsilon > 0 && options.epsilon <= kLargestEpsilon)) {
    throw BadInput(
        concat(section, "epsilon: is ", options.epsilon, ", must be above 0 and at most ", kLargestEpsilon));
  }
  check_positive_below_one(section + "smoothing", options.smoothing);
  check_name(options.growth, kGrowths, section + "growth", "choice");
  check_name(options.strategy, kStrategies, section + "strategy", "strategy");
  check_ascending(section + "tiers", options.tiers);
}

void check_muppet_options(const MuppetPolicyOptions& options) {
  const std::string section = "precision.muppet.";
  if (options.levels.empty()) {
    throw BadInput(concat(section, "levels: is empty, must have at least one word length"));
  }
  check_ascending(section + "levels", options.levels);
  check_range(section + "resolution", options.resolution, kFewestDiversityEpochs, kMostDiversityEpochs);
  check_name(options.window, kWindows, section + "window", "choice");
  check_range(section + "threshold", options.threshold, 0.0, kLargestMuppetNumber);
  check_range(section + "slack", options.slack, 0.0, kLargestMuppetNumber);
  check_range(section + "decay", options.decay, 0.0, kLargestMuppetNumber);
  check_range(section + "violations", options.violations, 1, kMostViolations);
}

void check_name(const std::string& name, const std::vector<std::string>& known, const std::string& key,
                const std::string& kind) {
  if (std::ranges::find(known, name) != known.end()) {
    return;
  }
  const auto candidate = nearest(name, known);
  const std::string hint = candidate ? concat("; did you mean '", *candidate, "'?") : "";
  throw BadInput(concat(key, ": unknown ", kind, " '", name, "'; known: ", join_names(known), hint));
}

}  // namespace adapt
