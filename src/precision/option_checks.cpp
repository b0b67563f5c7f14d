#include "precision/option_checks.hpp"

#include "base/error.hpp"
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

/// Of a lower and an upper bound, `name`_lower and `name`_upper.
std::optional<OptionConflict> find_disorder(const std::string& name, int lower, int upper) {
  if (lower <= upper) {
    return std::nullopt;
  }
  const std::string low_key = concat("precision.adapt.", name, "_lower");
  const std::string high_key = concat("precision.adapt.", name, "_upper");
  return OptionConflict{{low_key, high_key},
                        concat(low_key, " is ", lower, "; expected at most ", high_key, " (", upper, ")")};
}

template <class Value>
OptionConflict muppet_wants(const std::string& key, Value found, Value expected, const char* reason) {
  return {{key, "precision.policy"},
          concat(key, " is ", found, ", and precision.policy muppet ", reason, "; expected ", expected)};
}

std::optional<OptionConflict> find_muppet_conflict(const PolicyOptions& options) {
  if (options.formats != FormatScope::per_tensor) {
    return muppet_wants("precision.formats", options.formats, FormatScope::per_tensor, "scales each tensor");
  }
  if (options.backward != Backward::quantized) {
    return muppet_wants("precision.backward", options.backward, Backward::quantized,
                        "quantizes the gradients that flow back");
  }
  if (options.muppet.levels.empty()) {
    const std::string key = "precision.muppet.levels";
    return OptionConflict{{key}, key + " is empty; expected word lengths such as [8, 12]"};
  }
  return std::nullopt;
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
  check_range(section + "resolution_lower", options.resolution_lower, kFewestBins, kMostBins);
  check_range(section + "resolution_upper", options.resolution_upper, kFewestBins, kMostBins);
  check_range(section + "lookback_momentum", options.lookback_momentum, 0.0, 1.0);
  check_range(section + "buffer_bits", options.buffer_bits, 0, kMostBufferBits);
  if (!(options.epsilon > 0 && options.epsilon <= kLargestEpsilon)) {
    throw BadInput(
        concat(section, "epsilon: is ", options.epsilon, ", must be above 0 and at most ", kLargestEpsilon));
  }
  check_positive_below_one(section + "smoothing", options.smoothing);
  check_ascending(section + "tiers", options.tiers);
}

void check_muppet_options(const MuppetPolicyOptions& options) {
  const std::string section = "precision.muppet.";
  check_ascending(section + "levels", options.levels);
  check_range(section + "resolution", options.resolution, kFewestDiversityEpochs, kMostDiversityEpochs);
  check_range(section + "threshold", options.threshold, 0.0, kLargestMuppetNumber);
  check_range(section + "slack", options.slack, 0.0, kLargestMuppetNumber);
  check_range(section + "decay", options.decay, 0.0, kLargestMuppetNumber);
  check_range(section + "violations", options.violations, 1, kMostViolations);
}

std::optional<OptionConflict> find_conflict(const PolicyOptions& options) {
  if (options.scales != ScaleChoice::maximum && options.formats != FormatScope::per_tensor) {
    return OptionConflict{
        {"precision.scales", "precision.formats"},
        concat("precision.scales is ", name_of(options.scales), ", but precision.formats is ",
               name_of(options.formats), "; tensors have scales with per_tensor only")};
  }
  if (options.name == Policy::muppet) {
    if (auto conflict = find_muppet_conflict(options)) {
      return conflict;
    }
  }
  const AdaptPolicyOptions& adapt = options.adapt;
  if (auto conflict = find_disorder("lookback", adapt.lookback_lower, adapt.lookback_upper)) {
    return conflict;
  }
  return find_disorder("resolution", adapt.resolution_lower, adapt.resolution_upper);
}

}  // namespace adapt
