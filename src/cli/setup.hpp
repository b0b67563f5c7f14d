#pragma once

#include <map>
#include <string>

#include "data/dataset.hpp"
#include "experiment/configuration.hpp"
#include "mpi/communicator.hpp"
#include "train/trainer.hpp"

namespace adapt::cli {

/// The trainer's part of a configuration.
TrainerOptions trainer_options(const Configuration& configuration);

/// Provenance of a run: the build's, and what only the running program knows.
std::map<std::string, std::string> run_provenance(const Configuration& configuration, const DataSplits& data,
                                                  const mpi::Communicator& ranks);

}  // namespace adapt::cli
