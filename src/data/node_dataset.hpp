#pragma once

#include "data/dataset.hpp"
#include "mpi/communicator.hpp"

namespace adapt {

/// One copy of the images for all ranks of a node, in shared memory (collective over them). `own` is what the
/// first rank has opened, whose memory is given back while it is copied; the others' is not looked at. The
/// result holds the same on all of them. Where shared memory has no room for it, null: each rank must open
/// the data itself.
[[nodiscard]] DataSplits share_on_node(DataSplits own, const mpi::Communicator& node);

}  // namespace adapt
