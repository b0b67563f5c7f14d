#include "nn/kernels/data_gradient.hpp"

#include <algorithm>
#include <cstdint>

namespace adapt {
namespace {

bool can_flip(const ProductGeometry& geometry) {
  const WindowProduct forward = forward_product(geometry);
  const int behind = std::max(forward.padding_behind(geometry.input.h, geometry.output.h),
                              forward.padding_behind(geometry.input.w, geometry.output.w));
  return geometry.stride == 1 && std::max(geometry.padding, behind) < geometry.kernel;
}

WindowProduct gradient_product(const ProductGeometry& geometry, bool flipped) {
  const auto& [in, out, kernel, stride, padding, groups] = geometry;
  return {out, in, kernel, stride, flipped ? kernel - 1 - padding : padding, !flipped, groups};
}

}  // namespace

DataGradient::DataGradient(const ProductGeometry& geometry)
    : geometry_(geometry), flipped_(can_flip(geometry)), product_(gradient_product(geometry, flipped_)) {}

template <class Number>
void DataGradient::exchange(std::span<const Number> weights, std::span<Number> exchanged) const {
  // Kernels of a known area are copied without a loop.
  switch (geometry_.kernel) {
    case 1:
      return exchange_area<1>(weights, exchanged);
    case 3:
      return exchange_area<9>(weights, exchanged);
    case 5:
      return exchange_area<25>(weights, exchanged);
    default:
      return exchange_area<0>(weights, exchanged);
  }
}

template <std::size_t kArea, class Number>
void DataGradient::exchange_area(std::span<const Number> weights, std::span<Number> exchanged) const {
  const std::size_t area = kArea > 0 ? kArea : static_cast<std::size_t>(geometry_.kernel * geometry_.kernel);
  const auto inputs = static_cast<std::size_t>(geometry_.group_inputs());
  const auto outputs = static_cast<std::size_t>(geometry_.group_outputs());
  Number* to = exchanged.data();
  for (std::size_t channel = 0; channel < static_cast<std::size_t>(geometry_.input.c); ++channel) {
    const std::size_t first = channel / inputs * outputs;  // output of the group
    const std::size_t i = channel % inputs;
    for (std::size_t o = first; o < first + outputs; ++o, to += area) {
      const Number* const from = weights.data() + (o * inputs + i) * area;
      if (flipped_) {
        std::reverse_copy(from, from + area, to);
      } else {
        std::copy(from, from + area, to);
      }
    }
  }
}

template void DataGradient::exchange(std::span<const std::int8_t>, std::span<std::int8_t>) const;
template void DataGradient::exchange(std::span<const std::int16_t>, std::span<std::int16_t>) const;
template void DataGradient::exchange(std::span<const float>, std::span<float>) const;

}  // namespace adapt
