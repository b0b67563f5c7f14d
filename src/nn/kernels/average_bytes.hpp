#pragma once

#include <cstddef>

#include "nn/shape.hpp"

namespace adapt {

/// Mean over square windows without padding of bytes, channels last: destination = Σ · factor, Σ being a
/// window's integer sum and `factor` what joins source and destination units and the window's area. To bytes
/// it is rounded to nearest (ties to even) and clamped. From and To are std::int8_t or std::uint8_t, To also
/// float.
template <class From, class To>
void average_bytes(const Window& window, const Shape& input, const Shape& output, float factor,
                   const From* source, To* destination);

}  // namespace adapt
