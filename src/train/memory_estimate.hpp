#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/dataset.hpp"
#include "train/trainer.hpp"

namespace adapt {

/// Memory that goes for one thing.
struct MemoryPart {
  std::string name;
  std::int64_t bytes = 0;
  bool of_node = false;  ///< the ranks of a node have it once, in shared memory
};

/// What a process takes at most, by part.
using MemoryEstimate = std::vector<MemoryPart>;

std::int64_t total(const MemoryEstimate& estimate);

/// One rank of a training on `ranks` ranks, before any of it is allocated: its peak from start to end, with
/// evaluations, checkpoints and the program itself. `first`: rank 0, which keeps models and writes them. What
/// oneDNN takes for itself is in constants that were measured; what was computed is a bound. Throws BadInput
/// for an unknown model, dataset or engine, or a model that does not fit the images.
MemoryEstimate estimate_training(const TrainerOptions& options, const DataDescription& data, int ranks,
                                 bool first);

/// The same of a process that runs a model of `options` over the test set.
MemoryEstimate estimate_evaluation(const TrainerOptions& options, const DataDescription& data);

}  // namespace adapt
