#pragma once

#include <memory>

#include "control/controller.hpp"
#include "data/dataset.hpp"
#include "nn/parameters.hpp"
#include "train/engine.hpp"

namespace adapt {

/// Shows a few images, the first ones of the training set, to the model, so that the controller has a scale
/// for every tensor with a format before the first step (Controller::calibrate, which see for errors).
/// `state` holds working weights and keeps them; its gradients are overwritten. All ranks do the same and
/// exchange nothing. The images run in float32 where a tensor has no scale yet, in a network of their own
/// that is small, so that the run's network never needs float32 memory for what it keeps in bytes.
void calibrate(const TrainerOptions& options, const DataSplits& data,
               const std::shared_ptr<ModelState>& state, Controller& controller);

}  // namespace adapt
