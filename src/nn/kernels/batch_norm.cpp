#include "nn/kernels/batch_norm.hpp"

#include <algorithm>
#include <cmath>

#include "nn/kernels/channels.hpp"
#include "numerics/channels.hpp"

namespace adapt {

BatchNormKernel::BatchNormKernel(std::size_t channels, double epsilon)
    : epsilon_(epsilon),
      channels_(channels),
      mean_(channels),
      inverse_deviation_(channels),
      sums_(channels),
      products_(channels),
      factor_(channel_period(channels)),
      addend_(factor_.size()),
      x_factor_(factor_.size()),
      constant_(factor_.size()),
      lanes_(factor_.size()),
      more_lanes_(factor_.size()) {}

void BatchNormKernel::clear_sums() {
  std::ranges::fill(sums_, 0.0);
  std::ranges::fill(products_, 0.0);
}

void BatchNormKernel::add(const Numbers& gradient, const Numbers& x, std::size_t length) {
  sum_products(gradient, x, length, lanes_, more_lanes_);
  fold_lanes(lanes_, sums_);
  fold_lanes(more_lanes_, products_);
}

BatchNormKernel::Statistics BatchNormKernel::statistics(double pixels) const {
  Statistics found = {std::vector<double>(channels_), std::vector<double>(channels_)};
  for (std::size_t c = 0; c < channels_; ++c) {
    found.mean[c] = sums_[c] / pixels;
    found.variance[c] = std::max(products_[c] / pixels - found.mean[c] * found.mean[c], 0.0);
  }
  return found;
}

void BatchNormKernel::set(const Statistics& statistics, std::span<const float> scale,
                          std::span<const float> shift) {
  mean_ = statistics.mean;
  std::ranges::transform(statistics.variance, inverse_deviation_.begin(),
                         [&](double variance) { return 1 / std::sqrt(variance + epsilon_); });
  const auto factor = [&](std::size_t c) { return scale[c] * inverse_deviation_[c]; };
  repeat_channels(factor_, channels_, factor);
  repeat_channels(addend_, channels_, [&](std::size_t c) { return shift[c] - mean_[c] * factor(c); });
}

void BatchNormKernel::normalize(const Numbers& x, std::span<float> y) const {
  scale_channels(x, y, factor_, addend_);
}

void BatchNormKernel::finish_gradients(double pixels, std::span<const float> scale,
                                       std::span<float> scale_gradient, std::span<float> shift_gradient) {
  for (std::size_t c = 0; c < channels_; ++c) {
    // Σ dy · x becomes Σ dy · x̂.
    products_[c] = (products_[c] - mean_[c] * sums_[c]) * inverse_deviation_[c];
    scale_gradient[c] = static_cast<float>(products_[c]);
    shift_gradient[c] = static_cast<float>(sums_[c]);
  }
  const auto a = [&](std::size_t c) { return scale[c] * inverse_deviation_[c]; };
  const auto slope = [&](std::size_t c) { return -a(c) * inverse_deviation_[c] * products_[c] / pixels; };
  repeat_channels(x_factor_, channels_, slope);
  repeat_channels(constant_, channels_,
                  [&](std::size_t c) { return -a(c) * sums_[c] / pixels - slope(c) * mean_[c]; });
}

void BatchNormKernel::gradient(const Numbers& gradient, const Numbers& x, std::span<float> dx) const {
  combine_channels(gradient, x, dx, factor_, x_factor_, constant_);
}

}  // namespace adapt
