#pragma once

#include <string>
#include <vector>

#include "cli/sweep_modes.hpp"
#include "experiment/grid.hpp"

namespace adapt::cli {

// What runs are going to need, before any of them is started.

/// Core-hours and memory, a line each: core-hours from finished runs of the store that are alike, else
/// modelled from the network's multiply-adds; memory of the run that needs the most.
std::vector<std::string> estimate_lines(const SweepArguments& arguments, const std::vector<GridRun>& runs);

/// Throws BadInput for the first run that a node has too little memory for: slurm.memory, else that of the
/// largest node of the partition. Where neither is known, nothing is refused.
void check_fits(const Grid& grid, const std::vector<GridRun>& runs);

/// Sets slurm.memory to `factor` times what the runs had that are to be tried again: what Slurm gave the task
/// that failed, else slurm.memory. Throws BadInput where neither is known.
void scale_memory(SweepArguments& arguments, double factor);

}  // namespace adapt::cli
