// 8-bit products with AMX: tiles of 16 rows of 64 bytes.

#include <immintrin.h>

#include "numerics/vector/product.hpp"

namespace adapt::vector::amx {
namespace {

constexpr std::size_t kTileBytes = kProductTile * kProductDepth;
constexpr std::size_t kSums = kProductTile * kProductTile;
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

// Tile numbers are part of an instruction, so that they must be literals, and loops over them written out.
// The sums of block i stand in tile i.
#define ADAPT_BLOCK_TILE 6
#define ADAPT_PANEL_TILE 7
#define ADAPT_CLEAR(i) _tile_zero(i)
#define ADAPT_MULTIPLY(i)                                                      \
  _tile_loadd(ADAPT_BLOCK_TILE, blocks[i] + k, static_cast<long>(row_stride)); \
  _tile_dpbusd(i, ADAPT_BLOCK_TILE, ADAPT_PANEL_TILE)
#define ADAPT_STORE(i) _tile_stored(i, c + (i)*kSums, kRowBytes)
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
#define ADAPT_FUNCTION(name, ADAPT_ALL)                                                          \
  void name(const std::uint8_t* const* blocks, std::size_t row_stride, const std::int8_t* panel, \
            std::size_t depth, std::int32_t* c) {                                                \
    ADAPT_ALL(ADAPT_CLEAR);                                                                      \
    for (std::size_t k = 0; k < depth; k += kProductDepth) {                                     \
      _tile_loadd(ADAPT_PANEL_TILE, panel + k / kProductDepth * kTileBytes, kRowBytes);          \
      ADAPT_ALL(ADAPT_MULTIPLY);                                                                 \
    }                                                                                            \
    ADAPT_ALL(ADAPT_STORE);                                                                      \
  }

ADAPT_FUNCTION(multiply_one, ADAPT_ONE)
ADAPT_FUNCTION(multiply_three, ADAPT_THREE)
ADAPT_FUNCTION(multiply_six, ADAPT_SIX)

/// The products of two blocks with two panels: each tile that is loaded serves two products.
void multiply_pairs(const std::uint8_t* const* blocks, std::size_t row_stride, const std::int8_t* panel,
                    const std::int8_t* next_panel, std::size_t depth, std::int32_t* c, std::int32_t* next_c) {
  const auto stride = static_cast<long>(row_stride);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (std::size_t k = 0; k < depth; k += kProductDepth) {
    _tile_loadd(4, panel + k / kProductDepth * kTileBytes, kRowBytes);
    _tile_loadd(5, next_panel + k / kProductDepth * kTileBytes, kRowBytes);
    _tile_loadd(6, blocks[0] + k, stride);
    _tile_dpbusd(0, 6, 4);
    _tile_dpbusd(1, 6, 5);
    _tile_loadd(7, blocks[1] + k, stride);
    _tile_dpbusd(2, 7, 4);
    _tile_dpbusd(3, 7, 5);
  }
  _tile_stored(0, c, kRowBytes);
  _tile_stored(1, next_c, kRowBytes);
  _tile_stored(2, c + kSums, kRowBytes);
  _tile_stored(3, next_c + kSums, kRowBytes);
}

void multiply_panel(const std::uint8_t* const* blocks, std::size_t count, std::size_t row_stride,
                    const std::int8_t* panel, std::size_t depth, std::int32_t* c) {
  while (count > 0) {
    const std::size_t some = count >= 6 ? 6 : count >= 3 ? 3 : 1;
    (some == 6   ? multiply_six
     : some == 3 ? multiply_three
                 : multiply_one)(blocks, row_stride, panel, depth, c);
    blocks += some;
    c += some * kSums;
    count -= some;
  }
}

void multiply(const std::uint8_t* const* blocks, std::size_t count, std::size_t row_stride,
              const std::int8_t* panels, std::size_t panel_count, std::size_t depth, std::int32_t* c) {
  const std::size_t panel_bytes = kProductTile * depth;
  const std::size_t paired = count / 2 * 2;
  _tile_loadconfig(&kAllTiles);
  for (; panel_count >= 2; panel_count -= 2, panels += 2 * panel_bytes, c += 2 * count * kSums) {
    for (std::size_t block = 0; block < paired; block += 2) {
      multiply_pairs(blocks + block, row_stride, panels, panels + panel_bytes, depth, c + block * kSums,
                     c + (count + block) * kSums);
    }
    for (std::size_t panel = 0; panel < 2; ++panel) {
      multiply_panel(blocks + paired, count - paired, row_stride, panels + panel * panel_bytes, depth,
                     c + (panel * count + paired) * kSums);
    }
  }
  if (panel_count > 0) {
    multiply_panel(blocks, count, row_stride, panels, depth, c);
  }
  _tile_release();
}

void sum_columns(const std::int8_t* panel, std::size_t depth, std::int32_t* sums) {
  vnni::kProducts.sum_columns(panel, depth, sums);
}

}  // namespace

const ProductKernels kProducts = {.name = "amx", .multiply = multiply, .sum_columns = sum_columns};

}  // namespace adapt::vector::amx
