#pragma once

#include <memory>

#include "nn/layer.hpp"

namespace adapt {

/// Batch normalization per channel (Ioffe and Szegedy 2015): (x - mean) / sqrt(variance + ε) · scale + shift,
/// statistics over (N, H, W) of the shard in training (the biased variance; left in
/// RunningStatistics::shard_*), the running ones at inference.
std::unique_ptr<Layer> make_batch_norm(const NormalizationTerms& terms, const LayerParts& parts);

}  // namespace adapt
