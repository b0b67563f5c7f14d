#pragma once

#include <cstdint>
#include <span>

namespace adapt {

/// What a batch cost. Sums, not means: they add up over shards.
struct LossSum {
  double loss = 0;           ///< cross entropy, natural logarithm, summed over the images
  std::int64_t correct = 0;  ///< images whose largest logit is the label's (the first of equal ones)
};

/// Softmax cross entropy of `logits` (N, classes), row-major, against `labels` (N); labels.size() says N.
/// If `gradient` is not empty (same size as logits) it receives the gradient of the mean over the N images:
/// (softmax - target) / N. The target is one-hot; with `smoothing` s it is (1 - s) of that and s / classes of
/// each class (label smoothing, Szegedy et al. 2016, section 7).
LossSum softmax_cross_entropy(std::span<const float> logits, std::span<const std::int32_t> labels,
                              int classes, std::span<float> gradient, double smoothing = 0);

}  // namespace adapt
