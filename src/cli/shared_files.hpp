#pragma once

#include <string>

namespace adapt::cli {

/// Path of this program.
std::string program_path();

/// Where a file or folder of the source tree, "slurm/site.yaml", lies for this program: in the installation
/// or the source tree that the program itself is in. Empty where there is none.
std::string shared_path(const std::string& name);

}  // namespace adapt::cli
