#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mpi/agreement.hpp"

namespace adapt::cli {

/// What `adapt train` was told.
struct TrainArguments {
  std::string experiment;
  std::vector<std::string> overrides;
  std::string out;
  std::string claim;
  std::string report;
  std::string frozen;
  std::int64_t until = 0;
  bool overwrite = false;
  bool resume = false;
  bool check = false;
  bool tune = true;
};

/// Nothing when help was asked for and printed. Throws BadInput.
std::optional<TrainArguments> parse_train(const std::vector<std::string>& arguments);

/// What the ranks must have been told alike; experiment files are compared by what they say.
mpi::Facts task_of(const TrainArguments& arguments);

}  // namespace adapt::cli
