#include "nn/kernels/im2col_product.hpp"

#include <algorithm>
#include <numeric>

#include "nn/kernels/copy_runs.hpp"
#include "nn/kernels/panels.hpp"

namespace adapt {
namespace {

using vector::kProductTile;

std::size_t tiles_of(std::size_t count) { return (count + kProductTile - 1) / kProductTile; }

}  // namespace

template <class Operands>
Im2colProduct<Operands>::Im2colProduct(const WindowProduct& product, bool is_unsigned, std::size_t row_width)
    : product_(product),
      is_unsigned_(is_unsigned),
      zero_(is_unsigned ? 0 : Operands::kZero),
      neighbours_(row_width),
      rows_(product, zero_, neighbours_),
      groups_(static_cast<std::size_t>(product.groups)),
      outputs_(static_cast<std::size_t>(product.group_outputs())),
      row_sums_(neighbours_ * outputs_),
      panels_(tiles_of(row_sums_)),
      weights_(groups_ * panels_ * kProductTile * rows_.depth()),
      columns_(kProductTile * rows_.depth()),
      initial_(groups_ * panels_ * kProductTile),
      blocks_(rows_.windows() / kProductTile) {}

template <class Operands>
void Im2colProduct<Operands>::set_weights(std::span<const std::int8_t> weights) {
  for (std::size_t panel = 0; panel < groups_ * panels_; ++panel) {
    const std::size_t group = panel / panels_;
    const std::size_t first = panel % panels_ * kProductTile;  // column of the group
    const std::size_t columns = std::min(kProductTile, row_sums_ - first);
    std::ranges::fill(columns_, typename Operands::Right{0});
    for (std::size_t i = 0; i < columns; ++i) {
      const std::size_t column = first + i;
      const std::size_t output = group * outputs_ + column % outputs_;
      const auto of_output = weights.subspan(output * product_.terms(), product_.terms());
      rows_.place_terms(of_output.data(), column / outputs_, columns_.data() + i * rows_.depth());
      initial_[panel * kProductTile + i] = -(zero_ * std::accumulate(of_output.begin(), of_output.end(), 0));
    }
    place_panel<Operands>(columns_.data(), rows_.depth(), columns, rows_.depth(),
                          weights_.data() + panel * kProductTile * rows_.depth());
  }
}

template <class Operands>
void Im2colProduct<Operands>::multiply(std::int32_t* sums, std::size_t count) {
  for (std::size_t group = 0; group < groups_; ++group) {
    multiply_group(group, sums + group * outputs_, count);
  }
}

template <class Operands>
void Im2colProduct<Operands>::multiply_group(std::size_t group, std::int32_t* sums, std::size_t count) {
  const std::size_t channels = neighbours_ * static_cast<std::size_t>(product_.destination.c);  // of a row
  const bool is_whole = row_sums_ % kProductTile == 0;
  const std::size_t direct = is_whole ? count / kProductTile * kProductTile : 0;
  multiply_blocks(group, 0, direct, sums,
                  {.row = channels, .block = kProductTile * channels, .panel = kProductTile});
  if (direct == count) {
    return;
  }
  // What is no whole tile is copied from one.
  const std::size_t columns = panels_ * kProductTile;
  tiles_.resize(rows_.windows() * columns);
  multiply_blocks(group, direct, count - direct, tiles_.data(),
                  {.row = columns, .block = kProductTile * columns, .panel = kProductTile});
  copy_runs(tiles_.data(), columns, row_sums_, count - direct, sums + direct * channels, channels);
}

template <class Operands>
void Im2colProduct<Operands>::multiply_blocks(std::size_t group, std::size_t first, std::size_t count,
                                              std::int32_t* sums, const vector::SumPlaces& places) {
  const std::size_t blocks = tiles_of(count);
  for (std::size_t block = 0; block < blocks; ++block) {
    blocks_[block] = rows_.block(group, first + block * kProductTile);
  }
  const std::size_t columns = panels_ * kProductTile;
  Operands::products().multiply(blocks_.data(), blocks, rows_.places(),
                                weights_.data() + group * columns * rows_.depth(), panels_, rows_.depth(),
                                initial_.data() + group * columns, sums, places);
}

template <class Operands>
void Im2colProduct<Operands>::run(const void* source, SumSink& sums) {
  if (is_unsigned_) {
    run_on(static_cast<const std::uint8_t*>(source), sums);
  } else {
    run_on(static_cast<const std::int8_t*>(source), sums);
  }
}

template <class Operands>
template <class Byte>
void Im2colProduct<Operands>::run_on(const Byte* source, SumSink& sums) {
  const std::size_t channels = neighbours_ * static_cast<std::size_t>(product_.destination.c);
  rows_.each_piece(ByteSource<Byte>{source, zero_}, [&](std::size_t first, std::size_t count) {
    multiply(sums.room(first * channels, count * channels), count);
    sums.take(first * channels, count * channels);
  });
}

template class Im2colProduct<ByteOperands>;
template class Im2colProduct<WordOperands>;

}  // namespace adapt
