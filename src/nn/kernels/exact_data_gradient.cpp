#include "nn/kernels/exact_data_gradient.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace adapt {

ExactDataGradient::ExactDataGradient(const ProductGeometry& layer) : geometry_(layer) {
  if (layer.output.h == 1 && layer.output.w == 1) {  // the stride of one window means nothing
    geometry_.stride = std::min(layer.stride, std::max(layer.input.h, layer.input.w));
  }
  const ProductGeometry& geometry = geometry_;
  const WindowProduct plain = plain_.emplace(geometry).product();
  if (!plain.transposed || plain.is_depthwise()) {
    product_ = plain;
    return;
  }
  plain_.reset();
  int highest = 0;
  for (int number = 0; number < geometry.stride; ++number) {
    const auto [first, reach] = phase(number);
    if (first < geometry.kernel) {
      lowest_ = std::min(lowest_, reach - (geometry.kernel - 1 - first) / geometry.stride);
      highest = std::max(highest, reach);
    }
  }
  const auto places = [&](int pixels) { return (pixels + geometry.stride - 1) / geometry.stride; };
  const Shape& in = geometry.input;
  product_ = {.source = geometry.output,
              .destination = {in.n, geometry.stride * geometry.stride * in.c, places(in.h), places(in.w)},
              .kernel = highest - lowest_ + 1,
              .stride = 1,
              .padding = -lowest_,
              .groups = geometry.groups};
}

ExactDataGradient::Phase ExactDataGradient::phase(int number) const {
  const int distance = number + geometry_.padding;
  return {distance % geometry_.stride, distance / geometry_.stride};
}

int ExactDataGradient::tap_of(int phase_number, int tap) const {
  const auto [first, reach] = phase(phase_number);
  const int number = reach - lowest_ - tap;
  const int found = first + number * geometry_.stride;
  return number >= 0 && found < geometry_.kernel ? found : -1;
}

template <class Number>
void ExactDataGradient::exchange(std::span<const Number> weights, std::span<Number> exchanged) const {
  if (plain_) {
    plain_->exchange(weights, exchanged);
    return;
  }
  const auto inputs = static_cast<std::size_t>(geometry_.group_inputs());
  const auto outputs = static_cast<std::size_t>(geometry_.group_outputs());
  const auto area = static_cast<std::size_t>(geometry_.kernel) * static_cast<std::size_t>(geometry_.kernel);
  std::vector<int> taps(static_cast<std::size_t>(product_.kernel * product_.kernel));  // -1: none
  Number* to = exchanged.data();
  for (int i = 0; i < product_.destination.c / geometry_.group_inputs(); ++i) {  // phases of all groups
    const int phase = i % (geometry_.stride * geometry_.stride);
    const std::size_t group = static_cast<std::size_t>(i / (geometry_.stride * geometry_.stride));
    for (int tap = 0; tap < product_.kernel * product_.kernel; ++tap) {
      const int y = tap_of(phase / geometry_.stride, tap / product_.kernel);
      const int x = tap_of(phase % geometry_.stride, tap % product_.kernel);
      taps[static_cast<std::size_t>(tap)] = y < 0 || x < 0 ? -1 : y * geometry_.kernel + x;
    }
    for (std::size_t input = 0; input < inputs; ++input) {
      const Number* from = weights.data() + (group * outputs * inputs + input) * area;
      for (std::size_t o = 0; o < outputs; ++o, from += inputs * area) {
        to =
            std::ranges::transform(taps, to, [from](int tap) { return tap < 0 ? Number{0} : from[tap]; }).out;
      }
    }
  }
}

template void ExactDataGradient::exchange(std::span<const std::int8_t>, std::span<std::int8_t>) const;
template void ExactDataGradient::exchange(std::span<const std::int16_t>, std::span<std::int16_t>) const;

}  // namespace adapt
