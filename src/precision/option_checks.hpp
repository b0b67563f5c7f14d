#pragma once

#include <optional>
#include <string>
#include <vector>

#include "numerics/format.hpp"
#include "precision/options.hpp"

namespace adapt {

/// Throws BadInput naming `key` and the range unless the format lies within its bounds.
void check_format(FixedFormat format, const std::string& key);

/// Throws BadInput naming the key (`precision.adapt.lookback_lower`), the value and what would be right.
void check_adapt_options(const AdaptPolicyOptions& options);

/// Likewise for `precision.muppet`.
void check_muppet_options(const MuppetPolicyOptions& options);

/// Options that do not go together.
struct OptionConflict {
  std::vector<std::string> keys;  ///< that could be changed, the most likely one first
  std::string message;            ///< what is wrong, and what was expected
};

/// The first conflict among the options of a policy.
std::optional<OptionConflict> find_conflict(const PolicyOptions& options);

}  // namespace adapt
