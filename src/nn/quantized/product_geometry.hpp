#pragma once

#include <cstddef>

#include "nn/graph.hpp"

namespace adapt {

/// What a convolution's (or, on 1×1 images, a linear layer's) product looks like.
struct ProductGeometry {
  Shape input;
  Shape output;
  int kernel = 1;
  int stride = 1;
  int padding = 0;  ///< before; behind as much as the output needs
};

/// Sums of products over windows, which a layer's forward pass and its data gradient are: destination (N, H,
/// W, O) from source (N, h, w, I) and weights (O, I, KH, KW). Transposed, the window is that of the
/// convolution from destination to source.
struct WindowProduct {
  Shape source;
  Shape destination;
  int kernel = 1;
  int stride = 1;
  int padding = 0;  ///< before
  bool transposed = false;

  /// Products that a sum has at most.
  [[nodiscard]] std::size_t terms() const {
    return static_cast<std::size_t>(source.c) * static_cast<std::size_t>(kernel * kernel);
  }

  /// Padding behind, along an axis on which source and destination have these sizes. It may be negative: the
  /// last pixels are in no window.
  [[nodiscard]] int padding_behind(int source_size, int destination_size) const {
    const int places = transposed ? source_size : destination_size;
    return (places - 1) * stride + kernel - padding - (transposed ? destination_size : source_size);
  }

  /// Along an axis: which pixel of the source meets weight `tap` in the sum at `place` of the destination; -1
  /// where there is none.
  [[nodiscard]] int source_of(int place, int tap, int source_size) const {
    const int first = transposed ? place + padding - tap : place * stride + tap - padding;
    if (first < 0 || (transposed && first % stride != 0)) {
      return -1;
    }
    const int pixel = transposed ? first / stride : first;
    return pixel < source_size ? pixel : -1;
  }
};

}  // namespace adapt
