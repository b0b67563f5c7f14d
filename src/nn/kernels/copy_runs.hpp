#pragma once

#include <cstddef>
#include <cstdint>

#include "numerics/dispatch.hpp"

namespace adapt {

/// Copies `count` runs of `length` elements from places from_stride apart to places to_stride apart, and
/// nothing behind them.
template <class Element>
void copy_runs(const Element* from, std::size_t from_stride, std::size_t length, std::size_t count,
               Element* to, std::size_t to_stride) {
  vector::kernels().copy_runs(reinterpret_cast<const std::uint8_t*>(from), from_stride * sizeof(Element),
                              length * sizeof(Element), count, reinterpret_cast<std::uint8_t*>(to),
                              to_stride * sizeof(Element));
}

}  // namespace adapt
