#include "cli/machines.hpp"

#include <algorithm>

#include "base/file.hpp"
#include "base/log.hpp"
#include "base/process.hpp"
#include "base/sha256.hpp"
#include "cli/setup.hpp"
#include "mpi/together.hpp"
#include "nn/kernels/onednn.hpp"
#include "numerics/quantize.hpp"
#include "record/provenance.hpp"
#include "train/engine.hpp"

namespace adapt::cli {
namespace {

constexpr std::uintmax_t kLargestProgram = std::uintmax_t{1} << 31U;

}  // namespace

const std::string& program_sha256() {
  static const std::string kDigest = sha256(read_file("/proc/self/exe", kLargestProgram));
  return kDigest;
}

mpi::Facts program_facts() {
  const auto build = build_provenance();
  return {{"the program", concat("adapt ", build.at("adapt_version"), " (commit ", build.at("git_commit"),
                                 ", SHA-256 ", program_sha256(), ")")},
          {"the oneDNN version", onednn::version()}};
}

mpi::Facts configuration_facts(const Configuration& configuration) {
  mpi::Facts facts = json_values(configuration);
  std::erase_if(facts, [](const auto& fact) { return fact.first == "data.path"; });
  return facts;
}

void agree_on_data(const mpi::Communicator& ranks, const DataSplits& data) {
  mpi::Facts facts;
  mpi::together(ranks, [&] {
    facts = {{"the SHA-256 of the training data", data.train->checksum()},
             {"the SHA-256 of the test data", data.test->checksum()}};
  });
  mpi::agree(ranks, facts, "the same files on every host (data.path, ADAPT_DATA)");
}

std::map<std::string, std::string> rank_provenance(const mpi::Communicator& ranks,
                                                   const Configuration& configuration) {
  const std::vector<std::string> hosts = ranks.all_gather(host_name());
  const std::vector<std::string> sets =
      ranks.all_gather(concat(onednn::instruction_set(), " ", vector_isa()));
  const std::string table = mpi::rank_table(sets);
  const bool alike = std::ranges::all_of(sets, [&](const std::string& set) { return set == sets.front(); });
  if (!alike && !executes_formats(trainer_options(configuration)) && ranks.rank() == 0) {
    log_warning(concat("ranks compute with different instruction sets (", table, "; hosts ",
                       mpi::rank_table(hosts),
                       "): the float32 sums of this engine depend on which rank computes them, so that "
                       "another number of ranks may give other bits"));
  }
  return {{"rank_hosts", mpi::rank_table(hosts)}, {"rank_instruction_sets", table}};
}

}  // namespace adapt::cli
