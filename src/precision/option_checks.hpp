#pragma once

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

/// Throws BadInput "KEY: unknown KIND 'NAME'; known: ..." unless `name` is among `known`, with "; did you
/// mean
/// '...'?" when one of them is close.
void check_name(const std::string& name, const std::vector<std::string>& known, const std::string& key,
                const std::string& kind);

}  // namespace adapt
