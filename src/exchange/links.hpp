#pragma once

#include "mpi/communicator.hpp"

namespace adapt {

/// What a message costs a rank: seconds until it is there, and seconds for each byte.
struct LinkCost {
  double message_s = 0;
  double byte_s = 0;
};

/// Of messages within a node and between nodes, with all ranks sending at once.
struct LinkCosts {
  LinkCost node;
  LinkCost network;
};

/// Of machines of these years on 10 Gbit/s, where nothing was measured.
inline constexpr LinkCosts kUsualLinks = {.node = {1e-6, 2e-10}, .network = {15e-6, 8e-10}};

/// Measures with a few messages in a ring, the slowest rank counts (collective; some ten milliseconds). All
/// ranks get the same. A kind of link that there is none of costs nothing.
[[nodiscard]] LinkCosts measure_links(const mpi::Communicator& ranks);

}  // namespace adapt
