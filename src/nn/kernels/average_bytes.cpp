#include "nn/kernels/average_bytes.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "base/aligned.hpp"

namespace adapt {
namespace {

template <class From>
void add(const From* __restrict from, std::int32_t* __restrict sums, std::ptrdiff_t count) {
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    sums[i] += from[i];
  }
}

template <class To>
void scale(const std::int32_t* __restrict sums, float factor, To* __restrict to, std::ptrdiff_t count) {
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    const float value = static_cast<float>(sums[i]) * factor;
    if constexpr (std::is_same_v<To, float>) {
      to[i] = value;
    } else {
      using Limits = std::numeric_limits<To>;
      to[i] = static_cast<To>(std::clamp(std::nearbyint(value), float{Limits::min()}, float{Limits::max()}));
    }
  }
}

}  // namespace

template <class From, class To>
void average_bytes(const Window& window, const Shape& input, const Shape& output, float factor,
                   const From* source, To* destination) {
  const std::ptrdiff_t channels = input.c;
  const std::ptrdiff_t row = input.w * channels;
#pragma omp parallel for schedule(static)
  for (int n = 0; n < input.n; ++n) {
    AlignedVector<std::int32_t> sums(static_cast<std::size_t>(channels));
    const From* const image = source + n * input.h * row;
    To* to = destination + n * (output.elements() / output.n);
    for (int y = 0; y < output.h; ++y) {
      for (int x = 0; x < output.w; ++x, to += channels) {
        std::fill(sums.begin(), sums.end(), 0);
        for (int ky = 0; ky < window.kernel; ++ky) {
          const From* const first = image + (y * window.stride + ky) * row + x * window.stride * channels;
          for (int kx = 0; kx < window.kernel; ++kx) {
            add(first + kx * channels, sums.data(), channels);
          }
        }
        scale(sums.data(), factor, to, channels);
      }
    }
  }
}

template void average_bytes(const Window&, const Shape&, const Shape&, float, const std::int8_t*,
                            std::int8_t*);
template void average_bytes(const Window&, const Shape&, const Shape&, float, const std::int8_t*, float*);
template void average_bytes(const Window&, const Shape&, const Shape&, float, const std::uint8_t*,
                            std::uint8_t*);
template void average_bytes(const Window&, const Shape&, const Shape&, float, const std::uint8_t*, float*);

}  // namespace adapt
