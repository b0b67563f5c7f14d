#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "experiment/configuration.hpp"
#include "experiment/grid_run.hpp"
#include "experiment/pruning.hpp"
#include "experiment/slurm_options.hpp"

namespace adapt {

/// Most runs of one grid; more is taken for a mistake.
inline constexpr std::size_t kMostGridRuns = 10000;

/// A grid file, expanded.
struct Grid {
  std::string name;  ///< its key `name`, else the file's name without .yaml
  std::vector<GridRun> runs;
  std::optional<Pruning> prune;  ///< its section `prune`
  SlurmOptions slurm;            ///< those of the site, with the grid's section `slurm` on top
};

/// Reads a grid: an experiment file with these keys besides.
///  - `grid`: keys ("training.epochs", "precision", also a section with mappings as values) and lists of
///  values;
///    every combination is a run. The key `base` takes experiment files, which come on top of the grid's own
///    `base` and below all else.
///  - `zip`: the same, but the lists move together; a list of such mappings is one axis each.
///  - `exclude`: a list of mappings; a run with all the values of one of them (or one of a list of values) is
///    left out.
///  - `seeds`: a list, or how many, from 0.
///  - `slurm`: resources (slurm_options.hpp).
///  - `prune`: successive halving (pruning.hpp): metric, eta, rungs.
/// The runs come in the order of the seeds, then of the axes, the last one fastest. `overrides` ("key=value")
/// count for every run. Their names are the grid's with the values behind it.
/// Throws BadInput, "FILE:LINE: ", for the first thing wrong: whatever load_configuration refuses in any run,
/// unknown axes, empty lists or grids, two runs of one identity, a rule of `exclude` that no run fits, more
/// than kMostGridRuns runs (counted before any is made).
Grid load_grid(const std::filesystem::path& path, const std::vector<std::string>& overrides,
               const KnownNames& names, const SlurmOptions& site = {});

}  // namespace adapt
