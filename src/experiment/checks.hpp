#pragma once

#include <functional>
#include <string>
#include <vector>

#include "experiment/configuration.hpp"

namespace adapt {

/// Where the first of these keys that was written anywhere was written: "FILE:LINE" or "--set key=value"; the
/// name of the file when none was.
using PlaceOf = std::function<std::string(const std::vector<std::string>& keys)>;

/// Checks what one key alone cannot show: settings that contradict each other. Throws BadInput for the first.
void check_combinations(const Configuration& configuration, const PlaceOf& place_of);

}  // namespace adapt
