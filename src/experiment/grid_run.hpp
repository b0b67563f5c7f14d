#pragma once

#include <optional>
#include <string>

#include "experiment/configuration.hpp"

namespace adapt {

/// One run of a grid.
struct GridRun {
  Configuration configuration;
  std::string identity;  ///< store_identity()
  std::string label;     ///< what tells it from the others: "model=lenet5 precision=adapt seed=1"
  int until = 0;         ///< the epoch at which it is to stop for now, at a rung; 0: the end
};

}  // namespace adapt
