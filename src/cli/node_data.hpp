#pragma once

#include <cstdint>

#include "data/dataset.hpp"
#include "mpi/communicator.hpp"

namespace adapt::cli {

/// As open_dataset, with one copy of the images for all ranks of a node (collective): one of them reads and
/// decodes. Where their machine has no shared memory for it, each rank has its own, and a line says so.
/// Errors are those of open_dataset, as SharedError on all ranks.
DataSplits open_on_nodes(const DataOptions& options, std::uint64_t seed, const mpi::Communicator& ranks);

}  // namespace adapt::cli
