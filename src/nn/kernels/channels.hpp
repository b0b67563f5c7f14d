#pragma once

#include <cstddef>
#include <span>

namespace adapt {

/// Fills a coefficient array (numerics/channels.hpp) with `value(channel)`, repeated.
template <class ValueOf>
void repeat_channels(std::span<float> period, std::size_t channels, ValueOf value) {
  for (std::size_t channel = 0; channel < channels; ++channel) {
    const auto number = static_cast<float>(value(channel));
    for (std::size_t i = channel; i < period.size(); i += channels) {
      period[i] = number;
    }
  }
}

}  // namespace adapt
