#include "nn/kernels/loss.hpp"

#include <algorithm>
#include <numeric>

#include "numerics/functions.hpp"

namespace adapt {

LossSum softmax_cross_entropy(std::span<const float> logits, std::span<const std::int32_t> labels,
                              int classes, std::span<float> gradient, double smoothing) {
  const auto width = static_cast<std::size_t>(classes);
  const double share = 1.0 / static_cast<double>(labels.size());
  LossSum sum;
  for (std::size_t n = 0; n < labels.size(); ++n) {
    const auto row = logits.subspan(n * width, width);
    const auto label = static_cast<std::size_t>(labels[n]);
    const auto largest = std::max_element(row.begin(), row.end());
    sum.correct += static_cast<std::size_t>(largest - row.begin()) == label ? 1 : 0;
    double total = 0;
    for (const float logit : row) {
      total += exp(static_cast<double>(logit) - *largest);
    }
    sum.loss += log(total) - (static_cast<double>(row[label]) - *largest);
    if (smoothing > 0) {
      // s of the mean over the classes takes the place of s of the label's.
      const double mean = std::accumulate(row.begin(), row.end(), 0.0) / classes;
      sum.loss += smoothing * (static_cast<double>(row[label]) - mean);
    }
    if (gradient.empty()) {
      continue;
    }
    for (std::size_t c = 0; c < width; ++c) {
      const double probability = exp(static_cast<double>(row[c]) - *largest) / total;
      const double target = (c == label ? 1.0 - smoothing : 0.0) + smoothing / classes;
      gradient[n * width + c] = static_cast<float>((probability - target) * share);
    }
  }
  return sum;
}

}  // namespace adapt
