#pragma once

#include <cstdint>
#include <string>

#include "experiment/configuration.hpp"
#include "mpi/communicator.hpp"
#include "train/memory_estimate.hpp"

namespace adapt::cli {

/// The ranks that share this machine's memory.
struct NodeRanks {
  std::int64_t ranks = 1;
  bool first = true;          ///< rank 0 is one of them
  bool shares_images = true;  ///< there is room for them in shared memory
};

/// Collective.
NodeRanks ranks_of_node(const mpi::Communicator& ranks);

/// Throws BadInput, "WHERE: ", where a training on `ranks` ranks, `node` of them here, needs more memory than
/// this machine, its control groups and the limits of this process leave: the sum, its parts, and what fits.
void check_training_memory(const std::string& where, const Configuration& configuration, int ranks,
                           const NodeRanks& node);
/// The same of ranks that evaluate.
void check_evaluation_memory(const std::string& where, const Configuration& configuration,
                             const NodeRanks& node);

/// A training on one rank alone.
MemoryEstimate estimate_of(const Configuration& configuration);

/// What the ranks of one node need together, of a training on `ranks` ranks.
MemoryEstimate estimate_of_node(const Configuration& configuration, int ranks, const NodeRanks& node);

/// "activations 15.2 GB, images 184 MB, ...", the largest part first.
std::string parts_text(MemoryEstimate estimate);

}  // namespace adapt::cli
