#include "nn/kernels/word_product.hpp"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <limits>

#include "nn/kernels/copy_runs.hpp"
#include "nn/kernels/panels.hpp"

namespace adapt {
namespace {

using vector::kProductTile;

/// Terms of a row that stay together.
constexpr std::size_t kTogether = 16;
/// Terms whose multiplication takes about as long as it takes to add a piece's sums to the others.
constexpr std::size_t kTermsOfAddition = 24;

std::size_t units(std::size_t value, std::size_t unit) { return (value + unit - 1) / unit; }

std::int32_t part_of(std::int32_t integer, const vector::WordPart& part) {
  return integer >> part.shift & part.mask;
}

/// Terms that a product in these pieces seems to have.
template <class Pieces>
std::size_t work_of(const Pieces& pieces) {
  std::size_t work = 0;
  for (const auto& piece : pieces) {
    work += piece.depth + (pieces.size() > 1 ? kTermsOfAddition : 0);
  }
  return work;
}

}  // namespace

WordProduct::WordProduct(const WindowProduct& product)
    : rows_(product, WordOperands::kZero),
      product_(product),
      groups_(static_cast<std::size_t>(product.groups)),
      outputs_(static_cast<std::size_t>(product.group_outputs())),
      panels_(units(outputs_, kProductTile)),
      columns_(groups_ * panels_ * kProductTile),
      ordered_(columns_ * rows_.depth()),
      zeros_(panels_ * kProductTile),
      blocks_(rows_.windows() / kProductTile),
      sums_(rows_.windows() * columns_) {}

void WordProduct::set_weights(std::span<const std::int16_t> weights, float step) {
  for (std::size_t o = 0; o < groups_ * outputs_; ++o) {
    const std::size_t column = o / outputs_ * panels_ * kProductTile + o % outputs_;
    rows_.place_terms(weights.data() + o * product_.terms(), 0, ordered_.data() + column * rows_.depth());
  }
  weight_step_ = step;
  largest_ = -1;
}

std::vector<std::int32_t> WordProduct::magnitudes(const vector::WordPart& part) const {
  const std::size_t runs = rows_.places().runs;
  const std::size_t together = units(run_depth(), kTogether);  // of a run
  std::vector<std::int32_t> sums(runs * together * columns_);
  for (std::size_t column = 0; column < columns_; ++column) {
    const std::int16_t* weight = ordered_.data() + column * rows_.depth();
    for (std::size_t run = 0; run < runs; ++run) {
      for (std::size_t unit = 0; unit < together; ++unit) {
        const std::size_t length = std::min(kTogether, run_depth() - unit * kTogether);
        std::int32_t sum = 0;
        for (std::size_t i = 0; i < length; ++i) {
          sum += std::abs(part_of(weight[i], part));
        }
        weight += length;
        sums[(run * together + unit) * columns_ + column] = sum;
      }
    }
  }
  return sums;
}

std::optional<std::vector<WordProduct::Piece>> WordProduct::cut(const vector::WordPart& part,
                                                                std::int64_t most) const {
  const std::vector<std::int32_t> weights = magnitudes(part);
  const std::size_t together = units(run_depth(), kTogether);
  std::vector<std::int64_t> sums(columns_);
  // Whether a piece may have what is in `sums` and unit `unit`; if so, it has.
  const auto grows = [&](std::size_t unit) {
    const std::int32_t* const more = weights.data() + unit * columns_;
    bool fits = true;
    for (std::size_t column = 0; column < columns_; ++column) {
      fits = fits && sums[column] + more[column] <= most;
    }
    for (std::size_t column = 0; fits && column < columns_; ++column) {
      sums[column] += more[column];
    }
    return fits;
  };
  const std::size_t units_in_all = rows_.places().runs * together;
  bool is_whole = true;
  for (std::size_t unit = 0; is_whole && unit < units_in_all; ++unit) {
    is_whole = grows(unit);
  }
  if (is_whole) {
    return std::vector<Piece>{{part, 0, 0, rows_.places().runs, rows_.depth(), 0}};
  }
  std::vector<Piece> pieces;
  for (std::size_t unit = 0; unit < units_in_all; ++unit) {
    const std::size_t run = unit / together;
    const std::size_t begin = unit % together * kTogether;  // in the run
    if (begin == 0 || !grows(unit)) {
      std::ranges::fill(sums, 0);
      if (!grows(unit)) {
        return std::nullopt;
      }
      pieces.push_back({part, run * run_depth() + begin, run * rows_.places().pitch + begin, 1, 0, 0});
    }
    pieces.back().depth += std::min(kTogether, run_depth() - begin);
  }
  return pieces;
}

void WordProduct::lay_out(std::int32_t largest) {
  const std::int64_t most = std::numeric_limits<std::int32_t>::max() / std::max(largest, 1);
  auto whole = cut(vector::kWholeWord, most);
  if (!whole || whole->size() > 1) {
    auto halves = cut(vector::kHighPart, most);
    const auto low = cut(vector::kLowPart, most);
    // There is such a piece: 16 · 255 · 2^15 < 2^31.
    halves->insert(halves->end(), low->begin(), low->end());
    if (!whole || work_of(*halves) < work_of(*whole)) {
      whole = halves;
    }
  }
  pieces_ = *whole;
  largest_ = largest;
  std::size_t size = 0;
  for (Piece& piece : pieces_) {
    piece.weights = size;
    size += piece.depth * columns_;
  }
  weights_.resize(size);
  for (Piece& piece : pieces_) {
    lay_out_piece(piece);
  }
  if (pieces_.size() > 1) {
    wide_.resize(sums_.size());
  }
}

void WordProduct::lay_out_piece(Piece& piece) {
  AlignedVector<std::int16_t> columns(kProductTile * piece.depth);
  for (std::size_t first = 0; first < columns_; first += kProductTile) {
    for (std::size_t i = 0; i < kProductTile; ++i) {
      const std::int16_t* const from = ordered_.data() + (first + i) * rows_.depth() + piece.term;
      std::transform(from, from + piece.depth, columns.data() + i * piece.depth, [&](std::int16_t weight) {
        return static_cast<std::int16_t>(part_of(weight, piece.part));
      });
    }
    place_panel<WordOperands>(columns.data(), piece.depth, kProductTile, piece.depth,
                              weights_.data() + piece.weights + first * piece.depth);
  }
}

void WordProduct::multiply(const Piece& piece, std::size_t count) {
  const std::size_t blocks = units(count, kProductTile);
  const vector::RowPlaces places = {
      .row = rows_.places().row, .runs = piece.runs, .pitch = rows_.places().pitch};
  const std::size_t group_columns = panels_ * kProductTile;
  for (std::size_t group = 0; group < groups_; ++group) {
    for (std::size_t block = 0; block < blocks; ++block) {
      blocks_[block] = rows_.block(group, block * kProductTile) + piece.place;
    }
    WordOperands::products().multiply(
        blocks_.data(), blocks, places, weights_.data() + piece.weights + group * group_columns * piece.depth,
        panels_, piece.depth, zeros_.data(), sums_.data() + group * group_columns,
        {.row = columns_, .block = kProductTile * columns_, .panel = kProductTile});
  }
}

void WordProduct::multiply_all(std::size_t count, float step, float* numbers) {
  const std::size_t size = count * columns_;
  if (pieces_.size() == 1) {
    multiply(pieces_.front(), count);
    vector::kernels().from_sums(sums_.data(), numbers, size, step);
    return;
  }
  std::fill_n(wide_.begin(), size, 0.0);
  for (const Piece& piece : pieces_) {
    multiply(piece, count);
    vector::kernels().add_sums(sums_.data(), wide_.data(), size, 1U << piece.part.shift);
  }
  vector::kernels().from_wide(wide_.data(), numbers, size, step);
}

void WordProduct::run(const GridTensor& source, ProductSink<float>& numbers) {
  if (source.largest > largest_) {
    lay_out(static_cast<std::int32_t>(std::bit_ceil(static_cast<std::uint32_t>(source.largest))));
  }
  const float step = source.format.step() * weight_step_;
  const std::size_t channels = groups_ * outputs_;
  rows_.each_piece(GridSource(source), [&](std::size_t first, std::size_t count) {
    float* const to = numbers.room(first * channels, count * channels);
    if (columns_ == channels) {
      multiply_all(count, step, to);
    } else {
      numbers_.resize(sums_.size());
      multiply_all(count, step, numbers_.data());
      copy_runs(numbers_.data(), panels_ * kProductTile, outputs_, count * groups_, to, outputs_);
    }
    numbers.take(first * channels, count * channels);
  });
}

}  // namespace adapt
