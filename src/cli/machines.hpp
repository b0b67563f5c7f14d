#pragma once

#include <map>
#include <string>

#include "data/dataset.hpp"
#include "experiment/configuration.hpp"
#include "mpi/agreement.hpp"

namespace adapt::cli {

/// What identifies the running program: the file that it was started from, and the library that computes.
mpi::Facts program_facts();

/// SHA-256 of the program that runs.
const std::string& program_sha256();

/// The configuration, as far as it must be the same on all ranks: every key but data.path, under which each
/// host may have its own copy.
mpi::Facts configuration_facts(const Configuration& configuration);

/// Throws on all ranks where the content of one's data differs from rank 0's (collective).
void agree_on_data(const mpi::Communicator& ranks, const DataSplits& data);

/// Which ranks run where and with what (collective), for provenance: rank_hosts and rank_instruction_sets
/// ("avx512_core_vnni avx512": that of oneDNN, that of our own vector code), as mpi::rank_table. Rank 0 warns
/// where instruction sets differ and `configuration` has products in float32, whose sums then depend on which
/// rank computes them.
std::map<std::string, std::string> rank_provenance(const mpi::Communicator& ranks,
                                                   const Configuration& configuration);

}  // namespace adapt::cli
