#include "cli/versions.hpp"

#include <boost/version.hpp>

#include "base/error.hpp"
#include "mpi/communicator.hpp"
#include "nn/kernels/onednn.hpp"
#include "numerics/quantize.hpp"
#include "record/provenance.hpp"

namespace adapt::cli {
namespace {

/// "1.74.0" of Boost's number for it, 107400.
std::string boost_version() {
  return concat(BOOST_VERSION / 100000, ".", BOOST_VERSION / 100 % 1000, ".", BOOST_VERSION % 100);
}

}  // namespace

std::map<std::string, std::string> program_provenance() {
  auto provenance = build_provenance();
  provenance["onednn_version"] = onednn::version();
  provenance["onednn_instruction_set"] = onednn::instruction_set();
  provenance["vector_code"] = vector_isa();
  provenance["mpi_version"] = mpi::library_version();
  return provenance;
}

std::string version_text() {
  const auto provenance = program_provenance();
  const std::string changed = provenance.at("git_dirty") == "true" ? " with changes" : "";
  // The first line is for programs: its second word is the version.
  return concat("adapt ", provenance.at("adapt_version"), "\n", "commit      ", provenance.at("git_commit"),
                changed, "\ncompiler    ", provenance.at("compiler"), ", ", provenance.at("build_type"),
                "\nMPI         ", provenance.at("mpi_version"), "\noneDNN      ",
                provenance.at("onednn_version"), "\nHDF5        ", provenance.at("hdf5_version"),
                "\nBoost       ", boost_version(), "\n");
}

}  // namespace adapt::cli
