#pragma once

#include <string>

#include "experiment/pruning.hpp"
#include "yaml/text.hpp"

namespace adapt {

/// Reads the section `prune` of a grid, in the file `source`. Throws BadInput, "FILE:LINE: ", for unknown
/// keys, wrong values, and without rungs.
Pruning read_pruning(const YAML::Node& mapping, const std::string& source);

}  // namespace adapt
