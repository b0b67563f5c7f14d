#include "nn/kernels/weight_gradient.hpp"

#include <algorithm>
#include <array>

#include "numerics/dispatch.hpp"

namespace adapt {
namespace {

using vector::kProductTile;

constexpr std::size_t kTile = kProductTile * kProductTile;
/// Blocks of rows that are multiplied at a time.
constexpr std::size_t kBlocks = 2;
/// Pixels of which products of bytes, at most 255 · 128 each, have a sum below 2^31.
constexpr std::size_t kMostPixels = std::size_t{1} << 16U;

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

template <class Operands>
GradientMatrix<Operands>::GradientMatrix(const ProductGeometry& geometry)
    : geometry_(geometry), grid_(geometry) {
  const std::size_t blocks = (grid_.rows() + kProductTile - 1) / kProductTile;
  for (std::size_t first = 0; first < blocks; first += kBlocks) {
    blocks_.push_back({first, std::min(kBlocks, blocks - first), first * panels() * kTile});
  }
}

template <class Operands>
void GradientMatrix<Operands>::multiply(const std::int8_t* x, const std::int8_t* dy,
                                        GradientRoom<Operands>& room, WeightGradientScratch& scratch) const {
  const Shape& in = geometry_.input;
  const auto in_image = static_cast<std::size_t>(in.elements() / in.n);
  const auto out_image = static_cast<std::size_t>(geometry_.output.elements() / in.n);
  scratch.sums.assign((blocks_.back().first + blocks_.back().count) * panels() * kTile, 0);
  scratch.wide.clear();
  scratch.column_sums.assign(grid_.columns(), 0);
  std::size_t added = 0;  // pixels, since the sums were zero
  for (int image = 0; image < in.n; image += grid_.images()) {
    const int count = std::min(grid_.images(), in.n - image);
    const auto before = static_cast<std::size_t>(image);
    grid_.lay_out(x + before * in_image, dy + before * out_image, count, room.grid);
    const std::size_t depth = grid_.depth(count);
    for (std::size_t first = 0; first < depth; first += GradientGrid<Operands>::kSlice) {
      const std::size_t length = std::min(GradientGrid<Operands>::kSlice, depth - first);
      if (added + length > kMostPixels) {
        widen(scratch);
        added = 0;
      }
      add_slice(first, length, room, scratch);
      added += length;
    }
  }
  if (!scratch.wide.empty()) {
    widen(scratch);
  }
}

template <class Operands>
void GradientMatrix<Operands>::add_slice(std::size_t first, std::size_t length, GradientRoom<Operands>& room,
                                         WeightGradientScratch& scratch) const {
  const std::size_t stride = GradientGrid<Operands>::odd_lines(length);
  const typename Operands::Right* const dy = room.grid.dy.data() + first * grid_.columns();
  for (std::size_t panel = 0; panel < panels(); ++panel) {
    std::array<std::int32_t, kProductTile> sums;
    Operands::products().sum_columns(dy + panel * kProductTile * length, length, sums.data());
    for (std::size_t i = 0; i < kProductTile; ++i) {
      scratch.column_sums[panel * kProductTile + i] += sums[i];
    }
  }
  room.rows.resize(std::max(room.rows.size(), kBlocks * kProductTile * stride));
  for (const Blocks& blocks : blocks_) {
    std::array<const typename Operands::Left*, kBlocks> rows{};
    for (std::size_t i = 0; i < blocks.count; ++i) {
      typename Operands::Left* const to = room.rows.data() + i * kProductTile * stride;
      grid_.copy_rows(room.grid, (blocks.first + i) * kProductTile, first, length, to, stride);
      rows[i] = to;
    }
    Operands::products().multiply(rows.data(), blocks.count, {.row = stride}, dy, panels(), length, nullptr,
                                  scratch.sums.data() + blocks.sums,
                                  {.row = kProductTile, .block = kTile, .panel = blocks.count * kTile});
  }
}

template <class Operands>
void GradientMatrix<Operands>::widen(WeightGradientScratch& scratch) {
  scratch.wide.resize(scratch.sums.size(), 0);
  for (std::size_t i = 0; i < scratch.wide.size(); ++i) {
    scratch.wide[i] += scratch.sums[i];
    scratch.sums[i] = 0;
  }
}

template <class Operands>
void GradientMatrix<Operands>::store(float step, float* weights, const WeightGradientScratch& scratch) const {
  for (const Blocks& blocks : blocks_) {
    std::size_t tile = blocks.sums;
    for (std::size_t panel = 0; panel < panels(); ++panel) {
      for (std::size_t i = 0; i < blocks.count; ++i, tile += kTile) {
        store_tile((blocks.first + i) * kProductTile, panel, scratch.sums.data() + tile,
                   scratch.wide.empty() ? nullptr : scratch.wide.data() + tile,
                   scratch.column_sums.data() + panel * kProductTile, step, weights);
      }
    }
  }
}

template <class Operands>
void GradientMatrix<Operands>::store_tile(std::size_t row, std::size_t panel, const std::int32_t* sums,
                                          const std::int64_t* wide, const std::int64_t* column_sums,
                                          float step, float* weights) const {
  const std::size_t rows = std::min(kProductTile, grid_.rows() - row);
  const std::size_t channel = panel * kProductTile;
  const std::size_t channels = std::min(kProductTile, static_cast<std::size_t>(geometry_.output.c) - channel);
  float* const to = weights + channel * grid_.rows() + row;
  if (wide == nullptr && rows == kProductTile && channels == kProductTile) {
    std::array<std::int32_t, kProductTile> corrections;
    std::transform(column_sums, column_sums + kProductTile, corrections.begin(), [](std::int64_t sum) {
      return static_cast<std::int32_t>(std::int64_t{Operands::kZero} * sum);
    });
    vector::kernels().transpose_sums(sums, corrections.data(), step, to, grid_.rows());
    return;
  }
  for (std::size_t j = 0; j < channels; ++j) {
    for (std::size_t i = 0; i < rows; ++i) {
      const std::size_t at = i * kProductTile + j;
      const std::int64_t sum = wide == nullptr ? sums[at] : wide[at];
      to[j * grid_.rows() + i] =
          static_cast<float>(sum - std::int64_t{Operands::kZero} * column_sums[j]) * step;
    }
  }
}

WeightGradient::WeightGradient(const ProductGeometry& layer) : layer_(layer), geometry_(group_of(layer)) {
  if (forward_product(layer).is_depthwise()) {
    depthwise_.emplace(layer);
  } else if (vector::level().bytes != nullptr) {
    bytes_.emplace(geometry_);
  } else {
    words_.emplace(geometry_);
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
  const std::size_t size = outputs * inputs * static_cast<std::size_t>(geometry_.kernel * geometry_.kernel);
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
  if (bytes_) {
    bytes_->multiply(x, dy, scratch.bytes, scratch);
    bytes_->store(step, weights, scratch);
  } else {
    words_->multiply(x, dy, scratch.words, scratch);
    words_->store(step, weights, scratch);
  }
  for (std::size_t channel = 0; bias != nullptr && channel < static_cast<std::size_t>(geometry_.output.c);
       ++channel) {
    bias[channel] = static_cast<float>(scratch.column_sums[channel]) * bias_step;
  }
}

}  // namespace adapt
