#include "nn/kernels/weight_gradient.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "numerics/dispatch.hpp"

namespace adapt {
namespace {

using vector::kProductTile;

constexpr std::size_t kTile = kProductTile * kProductTile;
/// Blocks of rows that are multiplied at a time.
constexpr std::size_t kBlocks = 2;
/// Pixels of which products of bytes, at most 255 · 128 each, have a sum below 2^31.
constexpr std::size_t kMostPixels = std::size_t{1} << 16U;

/// Pixels, whole steps, of which products of integers of these magnitudes have a sum below 2^31.
std::size_t pixels_of(std::int32_t largest, std::int32_t other) {
  const std::int64_t product = std::max<std::int64_t>(std::int64_t{largest} * other, 1);
  const auto pixels = static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max() / product);
  return pixels / vector::kProductDepth * vector::kProductDepth;
}

std::size_t weight_count(const ProductGeometry& layer) {
  return static_cast<std::size_t>(layer.output.c) * forward_product(layer).terms();
}

/// The gradient of the biases of a layer without groups; `bias` may be null.
void store_bias(const ProductGeometry& geometry, float step, float* bias,
                const WeightGradientScratch& scratch) {
  for (std::size_t channel = 0; bias != nullptr && channel < static_cast<std::size_t>(geometry.output.c);
       ++channel) {
    bias[channel] = static_cast<float>(scratch.column_sums[channel]) * step;
  }
}

}  // namespace

template <class Operands>
GradientMatrix<Operands>::GradientMatrix(const ProductGeometry& geometry)
    : geometry_(geometry), grid_(geometry), zeros_(grid_.columns()) {
  const std::size_t blocks = (grid_.rows() + kProductTile - 1) / kProductTile;
  for (std::size_t first = 0; first < blocks; first += kBlocks) {
    blocks_.push_back({first, std::min(kBlocks, blocks - first), first * panels() * kTile});
  }
}

template <class Operands>
void GradientMatrix<Operands>::begin(WeightGradientScratch& scratch) const {
  scratch.sums.resize((blocks_.back().first + blocks_.back().count) * panels() * kTile);
  scratch.sums_begin = true;
  scratch.wide.clear();
  scratch.column_sums.assign(grid_.columns(), 0);
}

template <class Operands>
template <class Source, class AddSlice>
void GradientMatrix<Operands>::each_slice(const Source& x, const Source& dy, std::size_t most, double factor,
                                          GradientRoom<Operands>& room, WeightGradientScratch& scratch,
                                          AddSlice add_slice) const {
  const std::size_t slice = std::min(GradientGrid<Operands>::kSlice, most);
  const int images = geometry_.input.n;
  std::size_t added = 0;  // pixels, since the sums were zero
  for (int image = 0; image < images; image += grid_.images()) {
    const int count = std::min(grid_.images(), images - image);
    grid_.lay_out(x, dy, image, count, slice, room.grid);
    const std::size_t depth = grid_.depth(count);
    for (std::size_t first = 0; first < depth; first += slice) {
      const std::size_t length = std::min(slice, depth - first);
      if (added + length > most) {
        widen(factor, scratch);
        added = 0;
      }
      add_slice(first, length, image + count == images && first + length == depth);
      added += length;
    }
  }
}

template <class Operands>
template <class Source>
void GradientMatrix<Operands>::add(const Source& x, const Source& dy, std::size_t most, double factor,
                                   GradientRoom<Operands>& room, WeightGradientScratch& scratch) const {
  each_slice(x, dy, most, factor, room, scratch,
             [&](std::size_t first, std::size_t length, bool /*is_last*/) {
               add_slice(first, length, room, scratch);
             });
  widen(factor, scratch);
}

template <class Operands>
template <class Source>
void GradientMatrix<Operands>::add_last(const Source& x, const Source& dy, std::size_t most,
                                        const Destination& to, GradientRoom<Operands>& room,
                                        WeightGradientScratch& scratch) const {
  each_slice(x, dy, most, 1, room, scratch, [&](std::size_t first, std::size_t length, bool is_last) {
    add_columns(first, length, room, scratch);
    add_slice(first, length, room, scratch, is_last && scratch.wide.empty() ? &to : nullptr);
  });
  if (!scratch.wide.empty()) {
    widen(1, scratch);
    store(to, scratch);
  }
}

template <class Operands>
void GradientMatrix<Operands>::add_columns(std::size_t first, std::size_t length,
                                           const GradientRoom<Operands>& room,
                                           WeightGradientScratch& scratch) const {
  const typename Operands::Right* const dy = room.grid.dy.data() + first * grid_.columns();
  for (std::size_t panel = 0; panel < panels(); ++panel) {
    std::array<std::int32_t, kProductTile> sums;
    Operands::products().sum_columns(dy + panel * kProductTile * length, length, sums.data());
    for (std::size_t i = 0; i < kProductTile; ++i) {
      scratch.column_sums[panel * kProductTile + i] += sums[i];
    }
  }
}

template <class Operands>
void GradientMatrix<Operands>::add_slice(std::size_t first, std::size_t length, GradientRoom<Operands>& room,
                                         WeightGradientScratch& scratch, const Destination* to) const {
  const bool passes = to != nullptr && scratch.sums_begin;  // nobody else needs the sums
  const std::size_t stride = GradientGrid<Operands>::odd_lines(length);
  const typename Operands::Right* const dy = room.grid.dy.data() + first * grid_.columns();
  const std::int32_t* const initial = scratch.sums_begin ? zeros_.data() : nullptr;
  room.rows.resize(std::max(room.rows.size(), kBlocks * kProductTile * stride));
  for (const Blocks& blocks : blocks_) {
    std::array<const typename Operands::Left*, kBlocks> rows{};
    for (std::size_t i = 0; i < blocks.count; ++i) {
      typename Operands::Left* const row = room.rows.data() + i * kProductTile * stride;
      grid_.copy_rows(room.grid, (blocks.first + i) * kProductTile, first, length, row, stride);
      rows[i] = row;
    }
    std::int32_t* const sums = scratch.sums.data() + (passes ? 0 : blocks.sums);
    Operands::products().multiply(rows.data(), blocks.count, {.row = stride}, dy, panels(), length, initial,
                                  sums, {.row = kProductTile, .block = kTile, .panel = blocks.count * kTile});
    if (to != nullptr) {
      store_blocks(blocks, sums, nullptr, *to, scratch);
    }
  }
  scratch.sums_begin = false;
}

template <class Operands>
void GradientMatrix<Operands>::widen(double factor, WeightGradientScratch& scratch) {
  scratch.wide.resize(scratch.sums.size(), 0);
  vector::kernels().add_sums(scratch.sums.data(), scratch.wide.data(), scratch.sums.size(), factor);
  scratch.sums_begin = true;
}

template <class Operands>
void GradientMatrix<Operands>::store(const Destination& to, const WeightGradientScratch& scratch) const {
  for (const Blocks& blocks : blocks_) {
    store_blocks(blocks, scratch.sums.data() + blocks.sums, scratch.wide.data() + blocks.sums, to, scratch);
  }
}

template <class Operands>
void GradientMatrix<Operands>::store_blocks(const Blocks& blocks, const std::int32_t* sums,
                                            const double* wide, const Destination& to,
                                            const WeightGradientScratch& scratch) const {
  std::size_t tile = 0;
  for (std::size_t panel = 0; panel < panels(); ++panel) {
    for (std::size_t i = 0; i < blocks.count; ++i, tile += kTile) {
      store_tile((blocks.first + i) * kProductTile, panel, sums + tile,
                 wide == nullptr ? nullptr : wide + tile, scratch.column_sums.data() + panel * kProductTile,
                 to);
    }
  }
}

template <class Operands>
void GradientMatrix<Operands>::store_tile(std::size_t row, std::size_t panel, const std::int32_t* sums,
                                          const double* wide, const std::int64_t* column_sums,
                                          const Destination& destination) const {
  const std::size_t rows = std::min(kProductTile, grid_.rows() - row);
  const std::size_t channel = panel * kProductTile;
  const std::size_t channels = std::min(kProductTile, static_cast<std::size_t>(geometry_.output.c) - channel);
  float* const to = destination.weights + channel * grid_.rows() + row;
  if (wide == nullptr && rows == kProductTile && channels == kProductTile) {
    std::array<std::int32_t, kProductTile> corrections;
    std::transform(column_sums, column_sums + kProductTile, corrections.begin(), [](std::int64_t sum) {
      return static_cast<std::int32_t>(std::int64_t{Operands::kZero} * sum);
    });
    vector::kernels().transpose_sums(sums, corrections.data(), destination.step, to, grid_.rows());
    return;
  }
  for (std::size_t j = 0; j < channels; ++j) {
    for (std::size_t i = 0; i < rows; ++i) {
      const std::size_t at = i * kProductTile + j;
      const double sum = wide == nullptr ? sums[at] : wide[at];
      to[j * grid_.rows() + i] =
          static_cast<float>(sum - static_cast<double>(Operands::kZero * column_sums[j])) * destination.step;
    }
  }
}

WeightGradient::WeightGradient(const ProductGeometry& layer)
    : window_(layer), layer_(window_.geometry()), geometry_(group_of(layer_)) {
  if (forward_product(layer_).is_depthwise()) {
    depthwise_.emplace(layer_);
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
  const auto run_matrix = [&](const auto& matrix, auto& room, const GroupOf<std::int8_t>& group) {
    matrix.begin(scratch);
    matrix.add_last(ByteSource<std::int8_t>{group.x}, ByteSource<std::int8_t>{group.dy}, kMostPixels,
                    {weights + group.weights, step}, room, scratch);
    store_bias(geometry_, bias_step, bias == nullptr ? nullptr : bias + group.bias, scratch);
  };
  each_group(layer_, x, dy, scratch.byte_group, [&](const GroupOf<std::int8_t>& group) {
    if (bytes_) {
      run_matrix(*bytes_, scratch.bytes, group);
    } else {
      run_matrix(*words_, scratch.words, group);
    }
  });
  window_.unflatten(std::span(weights, weight_count(layer_)));
}

GridWeightGradient::GridWeightGradient(const ProductGeometry& layer)
    : window_(layer), layer_(window_.geometry()), geometry_(group_of(layer_)) {
  if (forward_product(layer_).is_depthwise()) {
    depthwise_.emplace(layer_);
  } else {
    words_.emplace(geometry_);
  }
}

void GridWeightGradient::run(const GridTensor& x, const GridTensor& dy, float* weights, float* bias,
                             WeightGradientScratch& scratch) const {
  if (depthwise_) {
    depthwise_->run(x.numbers, dy.numbers, 1, 1, weights, bias);
    return;
  }
  if (layer_.groups == 1) {
    run_group(x, dy, weights, bias, scratch);
  } else {
    each_group(layer_, x.numbers, dy.numbers, scratch.grid_group, [&](const GroupOf<float>& group) {
      run_group({group.x, x.format, x.largest}, {group.dy, dy.format, dy.largest}, weights + group.weights,
                bias == nullptr ? nullptr : bias + group.bias, scratch);
    });
  }
  window_.unflatten(std::span(weights, weight_count(layer_)));
}

void GridWeightGradient::run_group(const GridTensor& x, const GridTensor& dy, float* weights, float* bias,
                                   WeightGradientScratch& scratch) const {
  const GridSource gradient(dy);
  const auto add_last = [&](const vector::WordPart& part, std::int32_t largest) {
    words_->add_last(GridSource(x, part), gradient, pixels_of(largest, dy.largest),
                     {weights, x.format.step() * dy.format.step()}, scratch.words, scratch);
  };
  words_->begin(scratch);
  if (pixels_of(x.largest, dy.largest) > 0) {
    add_last(vector::kWholeWord, x.largest);
  } else {
    const vector::WordPart& part = vector::kHighPart;
    words_->add(GridSource(x, part), gradient, pixels_of(x.largest / 256 + 1, dy.largest), 1U << part.shift,
                scratch.words, scratch);
    add_last(vector::kLowPart, 255);
  }
  store_bias(geometry_, dy.format.step(), bias, scratch);
}

}  // namespace adapt
