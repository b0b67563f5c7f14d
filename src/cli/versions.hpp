#pragma once

#include <map>
#include <string>

namespace adapt::cli {

/// What this program is and runs on: build_provenance(), and of the libraries that record/ does not know
/// onednn_version, onednn_instruction_set and mpi_version, with vector_code of our own kernels.
std::map<std::string, std::string> program_provenance();

/// What `adapt --version` prints: the program, its commit, compiler and libraries, one a line.
std::string version_text();

}  // namespace adapt::cli
