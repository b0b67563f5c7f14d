#include "nn/kernels/average_pooling.hpp"

#include <algorithm>
#include <cstddef>

#include "base/aligned.hpp"

namespace adapt {
namespace {

/// to += from, `count` numbers.
void add(const float* __restrict from, float* __restrict to, std::ptrdiff_t count) {
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    to[i] += from[i];
  }
}

/// to += factor · from, `count` numbers.
void add_scaled(const float* __restrict from, float factor, float* __restrict to, std::ptrdiff_t count) {
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    to[i] += factor * from[i];
  }
}

}  // namespace

void AveragePooling::forward(const float* source, float* destination) const {
  const std::ptrdiff_t in = input_.elements() / input_.n;
  const std::ptrdiff_t out = output_.elements() / output_.n;
#pragma omp parallel for schedule(static)
  for (int n = 0; n < input_.n; ++n) {
    forward_image(source + n * in, destination + n * out);
  }
}

void AveragePooling::backward(const float* destination_gradient, float* source_gradient) const {
  const std::ptrdiff_t in = input_.elements() / input_.n;
  const std::ptrdiff_t out = output_.elements() / output_.n;
#pragma omp parallel for schedule(static)
  for (int n = 0; n < input_.n; ++n) {
    backward_image(destination_gradient + n * out, source_gradient + n * in);
  }
}

void AveragePooling::forward_image(const float* source, float* destination) const {
  const std::ptrdiff_t channels = input_.c;
  const std::ptrdiff_t row = input_.w * channels;
  AlignedVector<float> sums(static_cast<std::size_t>(row));  // over the rows of a window
  std::fill_n(destination, output_.elements() / output_.n, 0.0F);
  for (int y = 0; y < output_.h; ++y) {
    const float* window = source + std::ptrdiff_t{y} * window_.stride * row;
    std::copy_n(window, row, sums.data());
    for (int ky = 1; ky < window_.kernel; ++ky) {
      add(window + ky * row, sums.data(), row);
    }
    for (int x = 0; x < output_.w; ++x, destination += channels) {
      for (int kx = 0; kx < window_.kernel; ++kx) {
        add_scaled(sums.data() + (x * window_.stride + kx) * channels, share(), destination, channels);
      }
    }
  }
}

void AveragePooling::backward_image(const float* destination_gradient, float* source_gradient) const {
  const std::ptrdiff_t channels = input_.c;
  const std::ptrdiff_t row = input_.w * channels;
  AlignedVector<float> shares(static_cast<std::size_t>(row));  // of one row of a window
  std::fill_n(source_gradient, input_.elements() / input_.n, 0.0F);
  for (int y = 0; y < output_.h; ++y) {
    std::fill(shares.begin(), shares.end(), 0.0F);
    for (int x = 0; x < output_.w; ++x, destination_gradient += channels) {
      for (int kx = 0; kx < window_.kernel; ++kx) {
        add_scaled(destination_gradient, share(), shares.data() + (x * window_.stride + kx) * channels,
                   channels);
      }
    }
    for (int ky = 0; ky < window_.kernel; ++ky) {
      add(shares.data(), source_gradient + (y * window_.stride + ky) * row, row);
    }
  }
}

}  // namespace adapt
