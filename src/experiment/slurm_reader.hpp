#pragma once

#include <string>

#include "experiment/slurm_options.hpp"
#include "yaml/text.hpp"

namespace adapt {

/// Reads the keys of `mapping`, in the file `source`, into `options`. `section` is "slurm" in a grid, "" in
/// the site's file. Throws BadInput, "FILE:LINE: ", for unknown keys and wrong values.
void read_slurm_options(const YAML::Node& mapping, const std::string& section, const std::string& source,
                        SlurmOptions& options);

}  // namespace adapt
