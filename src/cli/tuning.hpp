#pragma once

#include <boost/program_options.hpp>

#include "cli/command.hpp"
#include "mpi/communicator.hpp"

namespace adapt::cli {

/// --no-tune, of commands that multiply integers.
void add_tuning_option(Usage& usage);
/// Whether neither --no-tune nor ADAPT_KERNELS=off is there.
bool wants_tuning(const boost::program_options::variables_map& values);

/// Before a network is made: the fastest kernels of this machine are those that ADAPT_KERNELS, a file, names
/// (without it adapt/kernels.json in the user's cache folder), and others are found out by trying; without
/// `tune` nothing is tried or read. Throws BadInput where ADAPT_ISA asks for what is not there.
void begin_tuning(bool tune, const mpi::Communicator& ranks);
/// What was found out is kept, by rank 0 for all.
void end_tuning(const mpi::Communicator& ranks);

}  // namespace adapt::cli
