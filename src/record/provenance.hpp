#pragma once

#include <map>
#include <string>

namespace adapt {

/// Where and by what a run was made, as far as this process knows without being told: adapt_version,
/// git_commit and git_dirty ("true" or "false") of the build, compiler, compiler_flags, build_type,
/// hdf5_version, cpu_model, instruction_sets (the vector and matrix extensions that Linux reports, separated
/// by spaces), host, start_time (UTC, ISO 8601, time of the call). What cannot be found out is "unknown".
/// Callers add what they know: command line, ranks, threads, seed, dataset checksum, versions of other
/// libraries.
std::map<std::string, std::string> build_provenance();

}  // namespace adapt
