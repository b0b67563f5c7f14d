#pragma once

#include <dnnl.hpp>

namespace adapt {

/// packed ← plain: row-major float32 weights in a layout that one of oneDNN's primitives likes, as float32 or
/// bfloat16. By the library where that is right, which is tried once for each layout with numbers that all
/// differ from what stood there before; else by loops of our own, with one warning. (On an AMD processor of
/// 2024, oneDNN 3.7.2 leaves most of such weights out where a layout has a padding.)
void pack(const dnnl::memory& plain, const dnnl::memory& packed);

}  // namespace adapt
