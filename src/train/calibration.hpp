#pragma once

#include <memory>

#include "data/dataset.hpp"
#include "exchange/tensor_scales.hpp"
#include "nn/parameters.hpp"
#include "numerics/plan.hpp"
#include "train/engine.hpp"

namespace adapt {

/// Shows a few images, the first ones of the training set, to the model, so that every tensor that `decided`
/// gives a format has a scale before the first step. `state` holds working weights and keeps them; its
/// gradients are overwritten. All ranks do the same and exchange nothing. The images run in float32 where a
/// tensor has no scale yet, in a network of their own that is small, so that the run's network never needs
/// float32 memory for what it keeps in bytes. Throws Failure where a tensor holds NaN or Inf.
void calibrate(const TrainerOptions& options, const DataSplits& data,
               const std::shared_ptr<ModelState>& state, const PrecisionPlan& decided, TensorScales& scales);

}  // namespace adapt
