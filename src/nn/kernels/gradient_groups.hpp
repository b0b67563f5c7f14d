#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "nn/kernels/window_product.hpp"

namespace adapt {

/// A group of a layer as a layer without groups.
inline ProductGeometry group_of(const ProductGeometry& layer) {
  ProductGeometry group = layer;
  group.input.c = layer.group_inputs();
  group.output.c = layer.group_outputs();
  group.groups = 1;
  return group;
}

/// Memory for the channels of a group.
template <class Element>
struct GroupChannels {
  std::vector<Element> x;
  std::vector<Element> dy;
};

/// The operands of a group's weight gradient, and where its weights and biases begin.
template <class Element>
struct GroupOf {
  const Element* x;
  const Element* dy;
  std::size_t weights;
  std::size_t bias;
};

/// to (N, H, W, count) ← the channels of `from` (N, H, W, C) from number `first` on.
template <class Element>
void copy_channels(const Element* from, const Shape& shape, std::size_t first, std::size_t count,
                   std::vector<Element>& to) {
  const auto channels = static_cast<std::size_t>(shape.c);
  const std::size_t pixels = static_cast<std::size_t>(shape.elements()) / channels;
  to.resize(pixels * count);
  for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
    std::copy_n(from + pixel * channels + first, count, to.data() + pixel * count);
  }
}

/// Calls `body(GroupOf)` for each group of x (N, H, W, IC) and dy (N, OH, OW, OC), with copies of its
/// channels in `room`; without groups, with all.
template <class Element, class Body>
void each_group(const ProductGeometry& layer, const Element* x, const Element* dy,
                GroupChannels<Element>& room, Body body) {
  if (layer.groups == 1) {
    body(GroupOf<Element>{x, dy, 0, 0});
    return;
  }
  const auto inputs = static_cast<std::size_t>(layer.group_inputs());
  const auto outputs = static_cast<std::size_t>(layer.group_outputs());
  const std::size_t weights = outputs * forward_product(layer).terms();
  for (std::size_t group = 0; group < static_cast<std::size_t>(layer.groups); ++group) {
    copy_channels(x, layer.input, group * inputs, inputs, room.x);
    copy_channels(dy, layer.output, group * outputs, outputs, room.dy);
    body(GroupOf<Element>{room.x.data(), room.dy.data(), group * weights, group * outputs});
  }
}

}  // namespace adapt
