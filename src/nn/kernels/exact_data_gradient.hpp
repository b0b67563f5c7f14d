#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>

#include "base/aligned.hpp"
#include "nn/kernels/copy_runs.hpp"
#include "nn/kernels/data_gradient.hpp"
#include "nn/kernels/product_sink.hpp"
#include "nn/kernels/window_product.hpp"

namespace adapt {

/// The data gradient of a layer as a product whose sums are exact, so that terms of zero change nothing. Of a
/// layer with stride s, s × s neighbours of dX read the same pixels of dY: they are channels of one product
/// of stride 1, whose weights are zero where a neighbour has no term (a sub-pixel convolution: Shi et al.
/// 2016, arXiv 1609.05158). Where the DataGradient is no transposed product, and of depthwise layers, it is
/// that.
class ExactDataGradient {
 public:
  explicit ExactDataGradient(const ProductGeometry& layer);

  /// Its destination are the phases (N, ⌈H / s⌉, ⌈W / s⌉, groups · s · s · IC / groups), or dX.
  [[nodiscard]] const WindowProduct& product() const { return product_; }

  /// Elements of the weights of product().
  [[nodiscard]] std::size_t weights() const {
    return static_cast<std::size_t>(product_.destination.c) * product_.terms();
  }
  /// Those weights from the layer's, (OC, IC / groups, KH, KW).
  template <class Number>
  void exchange(std::span<const Number> weights, std::span<Number> exchanged) const;

  /// dX from what `run` gives a sink; `memory` is for pieces of it.
  template <class Number, class Run>
  void run(ProductSink<Number>& dx, AlignedVector<Number>& memory, Run run) const {
    if (plain_) {
      run(dx);
      return;
    }
    const auto all = static_cast<std::size_t>(geometry_.input.elements());
    Number* const to = dx.room(0, all);
    PassingSink pieces(memory,
                       [&](std::size_t first, std::span<const Number> piece) { spread(first, piece, to); });
    run(pieces);
    dx.take(0, all);
  }

 private:
  /// Along an axis: the taps of a phase are first, first + s, ...; the one with number j reads pixel
  /// place + reach - j of dY.
  struct Phase {
    int first;
    int reach;
  };
  [[nodiscard]] Phase phase(int number) const;
  /// Which tap of the layer a phase has at a tap of product(); -1: none.
  [[nodiscard]] int tap_of(int phase_number, int tap) const;

  /// Brings a piece of product()'s results, which begins with number `first`, to where it belongs.
  template <class Number>
  void spread(std::size_t first, std::span<const Number> piece, Number* dx) const;
  /// The same of `count` places of a row.
  template <class Number>
  void spread_row(std::size_t row, std::size_t place, std::size_t count, const Number* from,
                  Number* dx) const;

  ProductGeometry geometry_;
  std::optional<DataGradient> plain_;
  int lowest_ = 0;  ///< pixel of dY, relative to the place, that is the first one of a window
  WindowProduct product_;
};

template <class Number>
void ExactDataGradient::spread(std::size_t first, std::span<const Number> piece, Number* dx) const {
  const auto channels = static_cast<std::size_t>(product_.destination.c);
  const auto width = static_cast<std::size_t>(product_.destination.w);
  const std::size_t end = first / channels + piece.size() / channels;
  const Number* from = piece.data();
  for (std::size_t place = first / channels; place < end;) {
    const std::size_t count = std::min(end - place, width - place % width);
    spread_row(place / width, place % width, count, from, dx);
    place += count;
    from += count * channels;
  }
}

template <class Number>
void ExactDataGradient::spread_row(std::size_t row, std::size_t place, std::size_t count, const Number* from,
                                   Number* dx) const {
  const auto height = static_cast<std::size_t>(product_.destination.h);
  const auto stride = static_cast<std::size_t>(geometry_.stride);
  const auto inputs = static_cast<std::size_t>(geometry_.group_inputs());
  const auto channels = static_cast<std::size_t>(geometry_.input.c);
  const auto image_height = static_cast<std::size_t>(geometry_.input.h);
  const auto image_width = static_cast<std::size_t>(geometry_.input.w);
  const auto phases = static_cast<std::size_t>(product_.destination.c) / inputs;  // of all groups
  for (std::size_t i = 0; i < phases; ++i) {
    const std::size_t group = i / (stride * stride);
    const std::size_t y = row % height * stride + i / stride % stride;
    const std::size_t x = place * stride + i % stride;
    if (y < image_height && x < image_width) {
      copy_runs(from + i * inputs, phases * inputs, inputs,
                std::min(count, (image_width - x + stride - 1) / stride),
                dx + ((row / height * image_height + y) * image_width + x) * channels + group * inputs,
                stride * channels);
    }
  }
}

}  // namespace adapt
