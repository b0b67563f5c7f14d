#include "nn/kernels/weight_gradient.hpp"

#include <algorithm>
#include <cstring>

#include "numerics/dispatch.hpp"

namespace adapt {
namespace {

using vector::kProductDepth;
using vector::kProductTile;

constexpr std::size_t kTile = kProductTile * kProductTile;
/// Added to the bytes of X to make them unsigned.
constexpr std::uint32_t kBias = 128;
/// Images that are laid out at a time: a multiple of what stands together in a panel, so that it begins anew.
constexpr int kImages = 4;
/// Pixels whose products with any bytes, 2^14 at most, have a sum below 2^31.
constexpr std::size_t kPieceDepth = (std::size_t{1} << 17) - kProductDepth;
/// Rows that a transposition may read and write behind the end.
constexpr std::size_t kSlack = 64;

std::size_t rounded_up(std::size_t value, std::size_t unit) { return (value + unit - 1) / unit * unit; }

template <class Vector>
void make_room(Vector& vector, std::size_t size) {
  if (vector.size() < size) {
    vector.resize(size);
  }
}

/// Pixels of padding that stand both before and behind the image, on both axes. Behind an image are the
/// pixels that its last windows read and that it does not have.
int shared_border(const ProductGeometry& geometry) {
  const auto& [in, out, kernel, stride, padding, groups] = geometry;
  if (stride != 1) {
    return 0;  // a pixel of the coarser grid may be padding in part
  }
  const int behind = std::min(out.h + kernel - 1 - padding - in.h, out.w + kernel - 1 - padding - in.w);
  return std::clamp(std::min(padding, behind), 0, kernel - 1);
}

ProductGeometry group_of(const ProductGeometry& layer) {
  ProductGeometry group = layer;
  group.input.c = layer.group_inputs();
  group.output.c = layer.group_outputs();
  group.groups = 1;
  return group;
}

/// `count` of the `channels` of each pixel, from number `first` on.
void copy_channels(const std::int8_t* from, std::size_t pixels, std::size_t channels, std::size_t first,
                   std::size_t count, std::vector<std::int8_t>& to) {
  to.resize(pixels * count);
  for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
    std::copy_n(from + pixel * channels + first, count, to.data() + pixel * count);
  }
}

}  // namespace

WeightGradient::WeightGradient(const ProductGeometry& layer)
    : layer_(layer),
      geometry_(group_of(layer)),
      phases_(std::min(layer.stride, layer.kernel)),
      taps_((layer.kernel + layer.stride - 1) / layer.stride),
      border_(shared_border(layer)),
      grid_width_(layer.output.w + taps_ - 1 - border_),
      grid_(static_cast<std::size_t>(layer.output.h + taps_ - 1 - border_) *
            static_cast<std::size_t>(grid_width_)),
      tail_(static_cast<std::size_t>(border_ * (grid_width_ + 1))),
      rows_(rounded_up(static_cast<std::size_t>(phases_ * phases_ * geometry_.input.c), kProductTile)),
      columns_(rounded_up(static_cast<std::size_t>(geometry_.output.c), kProductTile)),
      depth_(rounded_up(static_cast<std::size_t>(layer.input.n) * grid_, kProductDepth)) {
  if (forward_product(layer).is_depthwise()) {
    depthwise_.emplace(layer);
  }
  const auto largest_shift = static_cast<std::size_t>((taps_ - 1) * (grid_width_ + 1));
  // An odd number of cache lines, so that neighbouring rows do not meet in one set of the cache.
  const std::size_t lines = rounded_up(depth_ + largest_shift + kSlack, kSlack) / kSlack;
  row_stride_ = (lines | 1U) * kSlack;
  places_ = places();
}

std::vector<std::int32_t> WeightGradient::places() const {
  const int channels = geometry_.input.c;
  const int kernel = geometry_.kernel;
  std::vector<std::int32_t> all;
  for (int channel = 0; channel < channels; ++channel) {
    for (int y = 0; y < kernel; ++y) {
      for (int x = 0; x < kernel; ++x) {
        const int tap = y / geometry_.stride * taps_ + x / geometry_.stride;
        const int phase = y % geometry_.stride * phases_ + x % geometry_.stride;
        const int row = tap * static_cast<int>(rows_) + phase * channels + channel;
        all.push_back(row * static_cast<int>(kProductTile));
      }
    }
  }
  return all;
}

void WeightGradient::stage_input(const std::int8_t* image, std::int8_t* staged) const {
  const Shape& in = geometry_.input;
  const auto channels = static_cast<std::size_t>(in.c);
  const bool whole_rows = geometry_.stride == 1 && channels == rows_;
  std::memset(staged, 0, grid_ * rows_);
  const int grid_height = static_cast<int>(grid_) / grid_width_;
  for (int grid_y = 0; grid_y < grid_height; ++grid_y) {
    for (int phase_y = 0; phase_y < phases_; ++phase_y) {
      const int y = grid_y * geometry_.stride + phase_y - geometry_.padding;
      if (y < 0 || y >= in.h) {
        continue;
      }
      const std::int8_t* const row = image + static_cast<std::size_t>(y * in.w) * channels;
      std::int8_t* const to = staged + static_cast<std::size_t>(grid_y * grid_width_) * rows_ +
                              static_cast<std::size_t>(phase_y * phases_) * channels;
      if (whole_rows) {
        const int width = std::min(in.w, grid_width_ - geometry_.padding);
        std::memcpy(to + static_cast<std::size_t>(geometry_.padding) * channels, row,
                    static_cast<std::size_t>(width) * channels);
        continue;
      }
      for (int grid_x = 0; grid_x < grid_width_; ++grid_x) {
        const int first = grid_x * geometry_.stride - geometry_.padding;
        const int begin = std::clamp(-first, 0, phases_);
        const int end = std::clamp(in.w - first, begin, phases_);
        if (begin == end) {
          continue;
        }
        std::memcpy(
            to + static_cast<std::size_t>(grid_x) * rows_ + static_cast<std::size_t>(begin) * channels,
            row + static_cast<std::ptrdiff_t>(first + begin) * in.c,
            static_cast<std::size_t>(end - begin) * channels);
      }
    }
  }
}

void WeightGradient::stage_output(const std::int8_t* image, std::int8_t* staged) const {
  const Shape& out = geometry_.output;
  const auto channels = static_cast<std::size_t>(out.c);
  std::memset(staged, 0, grid_ * columns_);
  for (int y = 0; y < out.h; ++y) {
    std::int8_t* const to = staged + static_cast<std::size_t>(y * grid_width_) * columns_;
    const std::int8_t* const row = image + static_cast<std::size_t>(y * out.w) * channels;
    if (channels == columns_) {
      std::memcpy(to, row, static_cast<std::size_t>(out.w) * channels);
      continue;
    }
    for (std::size_t x = 0; x < static_cast<std::size_t>(out.w); ++x) {
      std::memcpy(to + x * columns_, row + x * channels, channels);
    }
  }
}

void WeightGradient::lay_out(const std::int8_t* x, const std::int8_t* dy,
                             WeightGradientScratch& scratch) const {
  const Shape& in = geometry_.input;
  const auto in_image = static_cast<std::size_t>(in.elements() / in.n);
  const auto out_image = static_cast<std::size_t>(geometry_.output.elements() / in.n);
  const vector::Kernels& kernels = vector::kernels();
  make_room(scratch.staged, (grid_ * kImages + tail_ + kSlack) * std::max(rows_, columns_));
  make_room(scratch.left, rows_ * row_stride_);
  make_room(scratch.right, columns_ * (depth_ + kSlack));
  std::fill_n(scratch.right.data(), columns_ * depth_, std::int8_t{0});
  for (int first = 0; first < in.n; first += kImages) {
    const int images = std::min(kImages, in.n - first);
    const std::size_t pixels = static_cast<std::size_t>(images) * grid_;
    const std::size_t before = static_cast<std::size_t>(first) * grid_;
    for (int i = 0; i < images; ++i) {
      stage_input(x + static_cast<std::size_t>(first + i) * in_image,
                  scratch.staged.data() + static_cast<std::size_t>(i) * grid_ * rows_);
    }
    const std::size_t behind = first + images == in.n ? tail_ : 0;
    std::memset(scratch.staged.data() + pixels * rows_, 0, behind * rows_);
    kernels.transpose_bytes(scratch.staged.data(), pixels + behind, rows_, scratch.left.data() + before,
                            row_stride_);
    for (int i = 0; i < images; ++i) {
      stage_output(dy + static_cast<std::size_t>(first + i) * out_image,
                   scratch.staged.data() + static_cast<std::size_t>(i) * grid_ * columns_);
    }
    const std::size_t whole = rounded_up(pixels, vector::kProductGroup);
    std::memset(scratch.staged.data() + pixels * columns_, 0, (whole - pixels) * columns_);
    kernels.pack_bytes(scratch.staged.data(), whole, columns_, scratch.right.data() + before * kProductTile,
                       depth_ * kProductTile);
  }
}

int WeightGradient::channels_of(std::size_t panel) const {
  return std::min<int>(kProductTile, geometry_.output.c - static_cast<int>(panel * kProductTile));
}

void WeightGradient::gather(std::size_t panel, const std::int32_t* products, const std::int32_t* column_sums,
                            float step, float* weights) const {
  // The 16 channels of a panel stand side by side, so that some of the places for all channels fit the first
  // cache.
  constexpr std::size_t kPlaces = 256;
  weights += panel * kProductTile * places_.size();
  for (std::size_t first = 0; first < places_.size(); first += kPlaces) {
    const std::size_t some = std::min(kPlaces, places_.size() - first);
    for (int channel = 0; channel < channels_of(panel); ++channel) {
      float* const to = weights + static_cast<std::size_t>(channel) * places_.size() + first;
      const std::uint32_t correction = kBias * static_cast<std::uint32_t>(column_sums[channel]);
      vector::kernels().gather_sums(products + channel, places_.data() + first, to, some,
                                    static_cast<std::int32_t>(correction), step);
    }
  }
}

void WeightGradient::gather_wide(std::size_t panel, const std::int64_t* sums, float step,
                                 float* weights) const {
  weights += panel * kProductTile * places_.size();
  for (int channel = 0; channel < channels_of(panel); ++channel) {
    for (const std::int32_t place : places_) {
      *weights++ = static_cast<float>(sums[place + channel]) * step;
    }
  }
}

void WeightGradient::multiply(std::size_t first, std::size_t count, float step, float bias_step,
                              float* weights, float* bias, WeightGradientScratch& scratch) const {
  const std::size_t blocks = scratch.rows.size();
  const std::int8_t* const right = scratch.right.data() + first * kProductTile * depth_;
  vector::products().multiply(scratch.rows.data(), blocks, row_stride_, right, count, depth_,
                              scratch.sums.data());
  for (std::size_t panel = 0; panel < count; ++panel) {
    std::int32_t column_sums[kProductTile];
    vector::products().sum_columns(right + panel * kProductTile * depth_, depth_, column_sums);
    gather(first + panel, scratch.sums.data() + panel * blocks * kTile, column_sums, step, weights);
    for (int i = 0; bias != nullptr && i < channels_of(first + panel); ++i) {
      bias[(first + panel) * kProductTile + static_cast<std::size_t>(i)] =
          static_cast<float>(column_sums[i]) * bias_step;
    }
  }
}

void WeightGradient::multiply_pieces(std::size_t panel, float step, float bias_step, float* weights,
                                     float* bias, WeightGradientScratch& scratch) const {
  const std::size_t blocks = scratch.rows.size();
  std::vector<const std::uint8_t*> rows = scratch.rows;
  std::int64_t bias_sums[kProductTile] = {};
  scratch.wide.assign(blocks * kTile, 0);
  for (std::size_t done = 0; done < depth_; done += kPieceDepth) {
    const std::size_t depth = std::min(kPieceDepth, depth_ - done);
    const std::int8_t* const right = scratch.right.data() + (panel * depth_ + done) * kProductTile;
    std::int32_t column_sums[kProductTile];
    vector::products().multiply(rows.data(), blocks, row_stride_, right, 1, depth, scratch.sums.data());
    vector::products().sum_columns(right, depth, column_sums);
    for (std::size_t i = 0; i < scratch.wide.size(); ++i) {
      const auto biased = static_cast<std::uint32_t>(scratch.sums[i]);
      const std::uint32_t correction = kBias * static_cast<std::uint32_t>(column_sums[i % kProductTile]);
      scratch.wide[i] += static_cast<std::int32_t>(biased - correction);
    }
    for (std::size_t i = 0; i < kProductTile; ++i) {
      bias_sums[i] += column_sums[i];
    }
    for (const std::uint8_t*& row : rows) {
      row += depth;
    }
  }
  gather_wide(panel, scratch.wide.data(), step, weights);
  for (int i = 0; bias != nullptr && i < channels_of(panel); ++i) {
    bias[panel * kProductTile + static_cast<std::size_t>(i)] = static_cast<float>(bias_sums[i]) * bias_step;
  }
}

void WeightGradient::run(const std::int8_t* x, const std::int8_t* dy, float step, float bias_step,
                         float* weights, float* bias, WeightGradientScratch& scratch) const {
  if (depthwise_) {
    depthwise_->run(x, dy, step, bias_step, weights, bias);
    return;
  }
  if (layer_.groups == 1) {
    run_group(x, dy, step, bias_step, weights, bias, scratch);
    return;
  }
  const auto inputs = static_cast<std::size_t>(geometry_.input.c);
  const auto outputs = static_cast<std::size_t>(geometry_.output.c);
  const std::size_t size = outputs * places_.size();
  for (std::size_t group = 0; group < static_cast<std::size_t>(layer_.groups); ++group) {
    copy_channels(x, static_cast<std::size_t>(geometry_.input.elements()) / inputs,
                  static_cast<std::size_t>(layer_.input.c), group * inputs, inputs, scratch.x);
    copy_channels(dy, static_cast<std::size_t>(geometry_.output.elements()) / outputs,
                  static_cast<std::size_t>(layer_.output.c), group * outputs, outputs, scratch.dy);
    run_group(scratch.x.data(), scratch.dy.data(), step, bias_step, weights + group * size,
              bias == nullptr ? nullptr : bias + group * outputs, scratch);
  }
}

void WeightGradient::run_group(const std::int8_t* x, const std::int8_t* dy, float step, float bias_step,
                               float* weights, float* bias, WeightGradientScratch& scratch) const {
  lay_out(x, dy, scratch);
  scratch.rows.clear();
  for (int tap = 0; tap < taps_ * taps_; ++tap) {
    const auto shift = static_cast<std::size_t>(tap / taps_ * grid_width_ + tap % taps_);
    for (std::size_t row = 0; row < rows_; row += kProductTile) {
      scratch.rows.push_back(scratch.left.data() + row * row_stride_ + shift);
    }
  }
  make_room(scratch.sums, vector::kProductPanels * scratch.rows.size() * kTile);
  const bool whole = depth_ <= kPieceDepth;
  const std::size_t panels = columns_ / kProductTile;
  for (std::size_t first = 0; first < panels; first += whole ? vector::kProductPanels : 1) {
    if (whole) {
      const std::size_t count = std::min(vector::kProductPanels, panels - first);
      multiply(first, count, step, bias_step, weights, bias, scratch);
    } else {
      multiply_pieces(first, step, bias_step, weights, bias, scratch);
    }
  }
}

}  // namespace adapt
