#include "nn/kernels/average_pooling.hpp"

#include <algorithm>
#include <cstddef>

#include "base/aligned.hpp"
#include "nn/kernels/copy_runs.hpp"
#include "numerics/dispatch.hpp"

namespace adapt {
namespace {

/// to += from, `count` numbers.
void add(const float* from, float* to, std::ptrdiff_t count) {
  vector::kernels().add(from, to, to, static_cast<std::size_t>(count));
}

/// numbers *= factor, `count` of them.
void scale(float* numbers, float factor, std::ptrdiff_t count) {
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    numbers[i] *= factor;
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
  const auto channels = static_cast<std::size_t>(input_.c);
  const auto stride = static_cast<std::size_t>(window_.stride) * channels;
  const auto places = static_cast<std::size_t>(output_.w);
  const std::ptrdiff_t row = std::ptrdiff_t{input_.w} * input_.c;
  const std::ptrdiff_t out_row = std::ptrdiff_t{output_.w} * input_.c;
  AlignedVector<float> sums(static_cast<std::size_t>(row));        // over the rows of a window
  AlignedVector<float> column(static_cast<std::size_t>(out_row));  // of each window
  std::fill_n(destination, output_.elements() / output_.n, 0.0F);
  for (int y = 0; y < output_.h; ++y, destination += out_row) {
    const float* window = source + std::ptrdiff_t{y} * window_.stride * row;
    std::copy_n(window, row, sums.data());
    for (int ky = 1; ky < window_.kernel; ++ky) {
      add(window + ky * row, sums.data(), row);
    }
    scale(sums.data(), share(), row);
    for (std::size_t kx = 0; kx < static_cast<std::size_t>(window_.kernel); ++kx) {
      copy_runs(sums.data() + kx * channels, stride, channels, places, column.data(), channels);
      add(column.data(), destination, out_row);
    }
  }
}

void AveragePooling::backward_image(const float* destination_gradient, float* source_gradient) const {
  const auto channels = static_cast<std::size_t>(input_.c);
  const auto stride = static_cast<std::size_t>(window_.stride) * channels;
  const auto places = static_cast<std::size_t>(output_.w);
  const std::ptrdiff_t row = std::ptrdiff_t{input_.w} * input_.c;
  const std::ptrdiff_t out_row = std::ptrdiff_t{output_.w} * input_.c;
  AlignedVector<float> shares(static_cast<std::size_t>(row));  // of one row of a window
  AlignedVector<float> gradient(static_cast<std::size_t>(out_row));
  AlignedVector<float> column(static_cast<std::size_t>(out_row));  // of each window
  std::fill_n(source_gradient, input_.elements() / input_.n, 0.0F);
  for (int y = 0; y < output_.h; ++y, destination_gradient += out_row) {
    std::copy_n(destination_gradient, out_row, gradient.data());
    scale(gradient.data(), share(), out_row);
    std::fill(shares.begin(), shares.end(), 0.0F);
    // Where windows overlap, a pixel gets its shares from left to right, whatever it is of them.
    for (auto kx = static_cast<std::size_t>(window_.kernel); kx-- > 0;) {
      float* const place = shares.data() + kx * channels;
      copy_runs(place, stride, channels, places, column.data(), channels);
      add(gradient.data(), column.data(), out_row);
      copy_runs(column.data(), channels, channels, places, place, stride);
    }
    for (int ky = 0; ky < window_.kernel; ++ky) {
      add(shares.data(), source_gradient + (y * window_.stride + ky) * row, row);
    }
  }
}

}  // namespace adapt
