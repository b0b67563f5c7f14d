#include "cli/node_data.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "base/error.hpp"
#include "base/log.hpp"
#include "data/node_dataset.hpp"
#include "data/source_file.hpp"
#include "mpi/together.hpp"

namespace adapt::cli {

namespace {

/// Whether all ranks of the node look for the data in the same place.
bool look_in_one_place(const DataOptions& options, const mpi::Communicator& node) {
  std::error_code ignored;
  const std::filesystem::path own = std::filesystem::absolute(data_folder(options.path).path, ignored);
  const std::vector<std::string> places = node.all_gather(concat(options.name, " ", own.string()));
  return std::ranges::all_of(places, [&](const std::string& place) { return place == places.front(); });
}

/// Whether the first rank of the node holds images that the others must be given: files without compression
/// are mapped by each of them.
bool must_be_shared(const DataSplits& own, const mpi::Communicator& node) {
  std::array<std::int64_t, 1> decoded = {
      node.rank() == 0 && !(own.train->is_mapped() && own.test->is_mapped()) ? 1 : 0};
  node.sum(decoded);
  return decoded[0] > 0;
}

}  // namespace

DataSplits open_on_nodes(const DataOptions& options, std::uint64_t seed, const mpi::Communicator& ranks) {
  const mpi::Communicator node = ranks.split_shared();
  const bool one_reads = node.size() > 1 && look_in_one_place(options, node);
  DataSplits own;
  const auto open = [&] { own = open_dataset(options, seed); };
  mpi::together(ranks, [&] {
    if (!one_reads || node.rank() == 0) {
      open();
    }
  });
  DataSplits shared;
  if (one_reads && must_be_shared(own, node)) {
    shared = share_on_node(own, node);
    if (shared.train == nullptr && node.rank() == 0) {
      log_warning("/dev/shm has no room for the images: each rank of this node holds its own copy");
    }
  }
  const bool each_opens = one_reads && shared.train == nullptr;
  mpi::together(ranks, [&] {
    if (each_opens && node.rank() != 0) {
      open();
    }
  });
  return shared.train == nullptr ? own : shared;
}

}  // namespace adapt::cli
