#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "base/error.hpp"
#include "nn/shape.hpp"

namespace adapt {

/// What a convolution's (or, on 1×1 images, a linear layer's) product looks like. Its channels fall into
/// `groups` of neighbours, as many of the input as of the output; each reads its own group only.
struct ProductGeometry {
  Shape input;
  Shape output;
  int kernel = 1;
  int stride = 1;
  int padding = 0;  ///< before; behind as much as the output needs
  int groups = 1;

  /// Channels of one group.
  [[nodiscard]] int group_inputs() const { return input.c / groups; }
  [[nodiscard]] int group_outputs() const { return output.c / groups; }
};

/// Sums of products over windows, which a layer's forward pass and its data gradient are: destination (N, H,
/// W, O) from source (N, h, w, I) and weights (O, I / groups, KH, KW), the channels of a group of the one
/// from those of the other's. Transposed, the window is that of the convolution from destination to source.
struct WindowProduct {
  Shape source;
  Shape destination;
  int kernel = 1;
  int stride = 1;
  int padding = 0;  ///< before
  bool transposed = false;
  int groups = 1;

  /// Channels of one group.
  [[nodiscard]] int group_inputs() const { return source.c / groups; }
  [[nodiscard]] int group_outputs() const { return destination.c / groups; }
  /// Whether each channel of the destination reads the one channel of the source that has its number.
  [[nodiscard]] bool is_depthwise() const {
    return groups > 1 && source.c == groups && destination.c == groups;
  }

  /// Products that a sum has at most.
  [[nodiscard]] std::size_t terms() const {
    return static_cast<std::size_t>(group_inputs()) * static_cast<std::size_t>(kernel * kernel);
  }

  /// Tells it from any other.
  using Key = std::array<int, 13>;
  [[nodiscard]] Key key() const {
    return {source.n,      source.c,      source.h, source.w, destination.n, destination.c,
            destination.h, destination.w, kernel,   stride,   padding,       static_cast<int>(transposed),
            groups};
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

/// The forward pass of a layer.
inline WindowProduct forward_product(const ProductGeometry& geometry) {
  return {.source = geometry.input,
          .destination = geometry.output,
          .kernel = geometry.kernel,
          .stride = geometry.stride,
          .padding = geometry.padding,
          .groups = geometry.groups};
}

/// "16 to 32 channels, 8x8 to 4x4, kernel 3, stride 2, padding 1".
inline std::string text_of(const WindowProduct& product) {
  const auto& [in, out, kernel, stride, padding, transposed, groups] = product;
  return concat(in.c, " to ", out.c, " channels", groups > 1 ? concat(" in ", groups, " groups") : "", ", ",
                in.h, "x", in.w, " to ", out.h, "x", out.w, ", kernel ", kernel, ", stride ", stride,
                ", padding ", padding, transposed ? ", transposed" : "");
}

}  // namespace adapt
