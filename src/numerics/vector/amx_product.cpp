// 8-bit products with AMX: tiles of 16 rows of 64 bytes.

#include <immintrin.h>

#include "numerics/vector/product.hpp"

namespace adapt::vector::amx {
namespace {

constexpr std::size_t kTileBytes = kProductTile * kProductDepth;
constexpr int kRowBytes = 64;

struct TileConfiguration {
  std::uint8_t palette;
  std::uint8_t start_row;
  std::uint8_t reserved[14];
  std::uint16_t row_bytes[16];
  std::uint8_t rows[16];
};

constexpr TileConfiguration kAllTiles = {
    1, 0, {}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};

/// Where the 16 × 16 sums of a tile come from and go to.
struct Sums {
  const std::int32_t* from;
  long from_bytes;  ///< from a row to the next one: 0 where all rows begin alike
  std::int32_t* to;
  long to_bytes;
};

Sums sums_at(const std::int32_t* initial, std::int32_t* c, const SumPlaces& places) {
  const auto row_bytes = static_cast<long>(places.row * sizeof *c);
  return initial == nullptr ? Sums{c, row_bytes, c, row_bytes} : Sums{initial, 0, c, row_bytes};
}

// Tile numbers are part of an instruction, so that they must be literals, and loops over them written out.
// The sums of block i stand in tile i.
#define ADAPT_BLOCK_TILE 6
#define ADAPT_PANEL_TILE 7
#define ADAPT_LOAD(i) _tile_loadd(i, sums.from + (initial == nullptr ? (i)*places.block : 0), sums.from_bytes)
#define ADAPT_MULTIPLY(i)                                  \
  _tile_loadd(ADAPT_BLOCK_TILE, blocks[i] + k, row_bytes); \
  _tile_dpbusd(i, ADAPT_BLOCK_TILE, ADAPT_PANEL_TILE)
#define ADAPT_STORE(i) _tile_stored(i, sums.to + (i)*places.block, sums.to_bytes)
#define ADAPT_ONE(each) each(0)
#define ADAPT_THREE(each) \
  each(0);                \
  each(1);                \
  each(2)
#define ADAPT_SIX(each) \
  ADAPT_THREE(each);    \
  each(3);              \
  each(4);              \
  each(5)

/// The product of as many blocks as `ADAPT_ALL` goes through.
#define ADAPT_FUNCTION(name, ADAPT_ALL)                                                                 \
  void name(const std::uint8_t* const* blocks, const RowPlaces& left, const std::int8_t* panel,         \
            std::size_t depth, const std::int32_t* initial, std::int32_t* c, const SumPlaces& places) { \
    const Sums sums = sums_at(initial, c, places);                                                      \
    const auto row_bytes = static_cast<long>(left.row);                                                 \
    const std::size_t run_depth = depth / left.runs;                                                    \
    ADAPT_ALL(ADAPT_LOAD);                                                                              \
    for (std::size_t run = 0; run < left.runs; ++run) {                                                 \
      for (std::size_t k = run * left.pitch; k < run * left.pitch + run_depth; k += kProductDepth) {    \
        _tile_loadd(ADAPT_PANEL_TILE, panel, kRowBytes);                                                \
        panel += kTileBytes;                                                                            \
        ADAPT_ALL(ADAPT_MULTIPLY);                                                                      \
      }                                                                                                 \
    }                                                                                                   \
    ADAPT_ALL(ADAPT_STORE);                                                                             \
  }

ADAPT_FUNCTION(multiply_one, ADAPT_ONE)
ADAPT_FUNCTION(multiply_three, ADAPT_THREE)
ADAPT_FUNCTION(multiply_six, ADAPT_SIX)

/// The products of two blocks with two panels: each tile that is loaded serves two products.
void multiply_pairs(const std::uint8_t* const* blocks, const RowPlaces& left, const std::int8_t* panel,
                    std::size_t depth, const std::int32_t* initial, std::int32_t* c,
                    const SumPlaces& places) {
  const auto stride = static_cast<long>(left.row);
  const std::size_t run_depth = depth / left.runs;
  const std::int8_t* next_panel = panel + kProductTile * depth;
  const Sums sums = sums_at(initial, c, places);
  const std::size_t block = initial == nullptr ? places.block : 0;
  const std::size_t next = initial == nullptr ? places.panel : kProductTile;
  _tile_loadd(0, sums.from, sums.from_bytes);
  _tile_loadd(1, sums.from + next, sums.from_bytes);
  _tile_loadd(2, sums.from + block, sums.from_bytes);
  _tile_loadd(3, sums.from + block + next, sums.from_bytes);
  for (std::size_t run = 0; run < left.runs; ++run) {
    for (std::size_t k = run * left.pitch; k < run * left.pitch + run_depth; k += kProductDepth) {
      _tile_loadd(4, panel, kRowBytes);
      _tile_loadd(5, next_panel, kRowBytes);
      panel += kTileBytes;
      next_panel += kTileBytes;
      _tile_loadd(6, blocks[0] + k, stride);
      _tile_dpbusd(0, 6, 4);
      _tile_dpbusd(1, 6, 5);
      _tile_loadd(7, blocks[1] + k, stride);
      _tile_dpbusd(2, 7, 4);
      _tile_dpbusd(3, 7, 5);
    }
  }
  _tile_stored(0, sums.to, sums.to_bytes);
  _tile_stored(1, sums.to + places.panel, sums.to_bytes);
  _tile_stored(2, sums.to + places.block, sums.to_bytes);
  _tile_stored(3, sums.to + places.block + places.panel, sums.to_bytes);
}

void multiply_panel(const std::uint8_t* const* blocks, std::size_t count, const RowPlaces& left,
                    const std::int8_t* panel, std::size_t depth, const std::int32_t* initial, std::int32_t* c,
                    const SumPlaces& places) {
  while (count > 0) {
    const std::size_t some = count >= 6 ? 6 : count >= 3 ? 3 : 1;
    (some == 6   ? multiply_six
     : some == 3 ? multiply_three
                 : multiply_one)(blocks, left, panel, depth, initial, c, places);
    blocks += some;
    c += some * places.block;
    count -= some;
  }
}

void multiply(const std::uint8_t* const* blocks, std::size_t count, const RowPlaces& rows,
              const std::int8_t* panels, std::size_t panel_count, std::size_t depth,
              const std::int32_t* initial, std::int32_t* c, const SumPlaces& places) {
  const SumPlaces own = places;  // copies that writing to `c` cannot change
  const RowPlaces left = rows;
  const std::size_t panel_bytes = kProductTile * depth;
  const std::size_t paired = count / 2 * 2;
  const std::size_t step = initial == nullptr ? 0 : kProductTile;
  _tile_loadconfig(&kAllTiles);
  for (; panel_count >= 2; panel_count -= 2) {
    for (std::size_t block = 0; block < paired; block += 2) {
      multiply_pairs(blocks + block, left, panels, depth, initial, c + block * own.block, own);
    }
    for (std::size_t panel = 0; panel < 2; ++panel) {
      multiply_panel(blocks + paired, count - paired, left, panels + panel * panel_bytes, depth,
                     initial + panel * step, c + panel * own.panel + paired * own.block, own);
    }
    panels += 2 * panel_bytes;
    c += 2 * own.panel;
    initial += 2 * step;
  }
  if (panel_count > 0) {
    multiply_panel(blocks, count, left, panels, depth, initial, c, own);
  }
  _tile_release();
}

void sum_columns(const std::int8_t* panel, std::size_t depth, std::int32_t* sums) {
  vnni::kBytes.sum_columns(panel, depth, sums);
}

}  // namespace

const ByteProducts kBytes = {.depth_step = kProductDepth, .multiply = multiply, .sum_columns = sum_columns};

}  // namespace adapt::vector::amx
