#include "nn/kernels/im2col_product.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "numerics/dispatch.hpp"

namespace adapt {
namespace {

using vector::kProductDepth;
using vector::kProductGroup;
using vector::kProductPanels;
using vector::kProductTile;

constexpr std::size_t kTile = kProductTile * kProductTile;
/// Blocks of windows that are laid out at a time: they stay in the second cache.
constexpr std::size_t kBlocks = 8;
constexpr std::size_t kWindows = kBlocks * kProductTile;

std::size_t units(std::size_t value, std::size_t unit) { return (value + unit - 1) / unit; }

}  // namespace

Im2colProduct::Im2colProduct(const WindowProduct& product, bool is_unsigned)
    : product_(product),
      bias_(is_unsigned ? 0 : 128),
      depth_(units(product.terms(), kProductDepth) * kProductDepth),
      outputs_(static_cast<std::size_t>(product.group_outputs())),
      panels_(units(outputs_, kProductTile)),
      weights_(static_cast<std::size_t>(product.groups) * panels_ * kProductTile * depth_),
      corrections_(static_cast<std::size_t>(product.groups) * panels_ * kProductTile),
      rows_(kWindows * depth_),
      tiles_(kProductPanels * kBlocks * kTile) {}

void Im2colProduct::set_weights(std::span<const std::int8_t> weights) {
  const auto inputs = static_cast<std::size_t>(product_.group_inputs());
  const auto area = static_cast<std::size_t>(product_.kernel * product_.kernel);
  const auto outputs = static_cast<std::size_t>(product_.destination.c);
  const std::int8_t* from = weights.data();
  for (std::size_t o = 0; o < outputs; ++o) {
    const std::size_t column = o / outputs_ * panels_ * kProductTile + o % outputs_;
    std::int8_t* const panel = weights_.data() + column / kProductTile * kProductTile * depth_;
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < inputs; ++i) {
      for (std::size_t tap = 0; tap < area; ++tap, ++from) {
        const std::size_t term = tap * inputs + i;
        panel[(term / kProductGroup * kProductTile + column % kProductTile) * kProductGroup +
              term % kProductGroup] = *from;
        sum += *from;
      }
    }
    corrections_[column] = bias_ * sum;
  }
}

void Im2colProduct::lay_out_window(const std::uint8_t* image, int y, int x, std::uint8_t* row) const {
  const Shape& in = product_.source;
  const auto channels = static_cast<std::size_t>(product_.group_inputs());
  for (int tap_y = 0; tap_y < product_.kernel; ++tap_y) {
    const int source_y = product_.source_of(y, tap_y, in.h);
    for (int tap_x = 0; tap_x < product_.kernel; ++tap_x, row += channels) {
      const int source_x = product_.source_of(x, tap_x, in.w);
      if (source_y < 0 || source_x < 0) {
        std::memset(row, bias_, channels);
        continue;
      }
      const std::uint8_t* const pixel =
          image + static_cast<std::size_t>(source_y * in.w + source_x) * static_cast<std::size_t>(in.c);
      for (std::size_t i = 0; i < channels; ++i) {
        row[i] = pixel[i] ^ bias_;
      }
    }
  }
}

void Im2colProduct::lay_out(const std::uint8_t* source, std::size_t first, std::size_t count) {
  const Shape& in = product_.source;
  const Shape& out = product_.destination;
  const auto width = static_cast<std::size_t>(out.w);
  const std::size_t pixels = static_cast<std::size_t>(out.h) * width;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t image = (first + i) / pixels;
    const std::size_t pixel = (first + i) % pixels;
    lay_out_window(source + image * static_cast<std::size_t>(in.h * in.w * in.c),
                   static_cast<int>(pixel / width), static_cast<int>(pixel % width),
                   rows_.data() + i * depth_);
  }
}

void Im2colProduct::multiply(std::size_t group, std::int32_t* sums, std::size_t count) {
  const auto channels = static_cast<std::size_t>(product_.destination.c);
  const std::int8_t* const weights = weights_.data() + group * panels_ * kProductTile * depth_;
  const std::int32_t* const corrections = corrections_.data() + group * panels_ * kProductTile;
  const std::size_t blocks = units(count, kProductTile);
  std::array<const std::uint8_t*, kBlocks> rows;
  for (std::size_t block = 0; block < kBlocks; ++block) {
    rows[block] = rows_.data() + block * kProductTile * depth_;
  }
  for (std::size_t panel = 0; panel < panels_; ++panel) {
    if (panel % kProductPanels == 0) {
      vector::products().multiply(rows.data(), blocks, depth_, weights + panel * kProductTile * depth_,
                                  std::min(kProductPanels, panels_ - panel), depth_, tiles_.data());
    }
    const std::int32_t* tile = tiles_.data() + panel % kProductPanels * blocks * kTile;
    const std::size_t channel = panel * kProductTile;
    const std::size_t some = std::min(kProductTile, outputs_ - channel);
    for (std::size_t window = 0; window < count; ++window, tile += kProductTile) {
      std::int32_t* const to = sums + window * channels + channel;
      for (std::size_t i = 0; i < some; ++i) {
        // Modulo 2^32: only the difference is small.
        to[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(tile[i]) -
                                          static_cast<std::uint32_t>(corrections[channel + i]));
      }
    }
  }
}

void Im2colProduct::run(const void* source, std::int32_t* sums) {
  const Shape& out = product_.destination;
  const auto channels = static_cast<std::size_t>(out.c);
  const auto inputs = static_cast<std::size_t>(product_.group_inputs());
  const std::size_t windows = static_cast<std::size_t>(out.elements()) / channels;
  for (std::size_t group = 0; group < static_cast<std::size_t>(product_.groups); ++group) {
    for (std::size_t first = 0; first < windows; first += kWindows) {
      const std::size_t count = std::min(kWindows, windows - first);
      lay_out(static_cast<const std::uint8_t*>(source) + group * inputs, first, count);
      multiply(group, sums + first * channels + group * outputs_, count);
    }
  }
}

}  // namespace adapt
