#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "experiment/sweep_runner.hpp"

namespace adapt::cli {

/// The words of a launcher's command line.
std::vector<std::string> words_of(const std::string& text);

/// Says what became of the runs, and what exit code that is. `left`: runs that were left before the others
/// began.
ExitCode finish_sweep(SweepResult result, int left);

}  // namespace adapt::cli
