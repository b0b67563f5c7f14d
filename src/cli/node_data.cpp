#include "cli/node_data.hpp"

#include <algorithm>
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

}  // namespace

DataSplits open_on_nodes(const DataOptions& options, std::uint64_t seed, const mpi::Communicator& ranks) {
  const mpi::Communicator node = ranks.split_shared();
  const bool shares = node.size() > 1 && look_in_one_place(options, node);
  DataSplits own;
  const auto open = [&] { own = open_dataset(options, seed); };
  mpi::together(ranks, [&] {
    if (!shares || node.rank() == 0) {
      open();
    }
  });
  DataSplits shared;
  if (shares) {
    shared = share_on_node(own, node);
  }
  const bool has_no_room = shares && shared.train == nullptr;
  if (has_no_room && node.rank() == 0) {
    log_warning("/dev/shm has no room for the images: each rank of this node holds its own copy");
  }
  mpi::together(ranks, [&] {
    if (has_no_room && node.rank() != 0) {
      open();
    }
  });
  return shared.train == nullptr ? own : shared;
}

}  // namespace adapt::cli
