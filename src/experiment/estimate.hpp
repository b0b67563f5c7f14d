#pragma once

#include <optional>
#include <vector>

#include "experiment/index.hpp"

namespace adapt {

/// How long runs will take, by runs that are done.
struct Estimate {
  double core_hours = 0;  ///< of the runs that can be estimated
  int runs = 0;           ///< so many
  int unknown = 0;        ///< runs that are like no finished one
};

/// Core-hours of `planned`. Each takes as long for an epoch as the mean of those finished runs that have the
/// same model, data set and number of images, and of these the ones with the most equal keys. Core-seconds
/// are seconds times ranks times threads.
Estimate estimate(const std::vector<IndexEntry>& planned, const std::vector<IndexEntry>& all);

}  // namespace adapt
