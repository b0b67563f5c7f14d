#pragma once

#include <memory>
#include <vector>

#include "data/dataset.hpp"
#include "exchange/metrics.hpp"
#include "mpi/communicator.hpp"
#include "nn/network.hpp"
#include "numerics/plan.hpp"
#include "train/inference.hpp"
#include "train/model_workers.hpp"

namespace adapt {

/// Loss and accuracy of `network` (compiled for inference) over a data set, on all ranks together: batch i is
/// taken by rank i mod N. The result is the same on every rank and for every number of ranks. `plan` may be
/// null (all float32); activations are rounded to nearest. All ranks throw the same mpi::SharedError where
/// the loss is NaN or infinite.
MetricSum evaluate(Network& network, const Dataset& dataset, const Normalization& normalization,
                   const PrecisionPlan* plan, const mpi::Communicator& ranks);

/// The same by the threads of this rank, each with its network (of equal batches).
MetricSum evaluate(ModelWorkers& workers, const std::vector<std::unique_ptr<Network>>& networks,
                   const Dataset& dataset, const Normalization& normalization, const PrecisionPlan* plan,
                   const mpi::Communicator& ranks);

/// The same for a model that was made ready for inference.
MetricSum evaluate(Classifier& classifier, const Dataset& dataset, const Normalization& normalization,
                   const mpi::Communicator& ranks);

}  // namespace adapt
