#pragma once

#include <functional>

#include "base/error.hpp"
#include "mpi/communicator.hpp"

namespace adapt::cli {

/// Runs a subcommand's work under MPI, on all ranks. An error that all ranks share (mpi::together) ends them
/// in order with one line from rank 0; one that strikes a single rank is printed by it and ends all ranks at
/// once with its exit code.
ExitCode run_parallel(const std::function<ExitCode(const mpi::Communicator&)>& work);

}  // namespace adapt::cli
