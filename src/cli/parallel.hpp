#pragma once

#include <functional>
#include <string>

#include "base/error.hpp"
#include "base/log.hpp"
#include "mpi/agreement.hpp"

namespace adapt::cli {

/// Runs a subcommand's work under MPI, on all ranks. Before it, the ranks agree on the `task` (subcommand and
/// options) and that they are the same program: no other collective call that depends on it may come first.
/// An error that all ranks share (mpi::together) ends them in order with one line from rank 0; one that
/// strikes a single rank is printed by it and ends all ranks at once with its exit code.
ExitCode run_parallel(const mpi::Facts& task, const std::function<ExitCode(const mpi::Communicator&)>& work);

/// How much is printed beside results: ADAPT_LOG=error|warning|info; info where it is not set. Throws
/// BadInput for another word.
LogLevel told_log_level();

/// Throws BadInput where mpirun started several of these processes: what does not take part in the work of
/// ranks would leave the others waiting.
void refuse_ranks(const std::string& command);

}  // namespace adapt::cli
