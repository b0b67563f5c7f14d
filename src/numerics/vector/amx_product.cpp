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

void multiply(const std::uint8_t* const* blocks, std::size_t count, std::size_t row_stride,
              const std::int8_t* panel, std::size_t depth, std::int32_t* c) {
  _tile_loadconfig(&kAllTiles);
  while (count > 0) {
    const std::size_t some = count >= 6 ? 6 : count >= 3 ? 3 : 1;
    (some == 6   ? multiply_six
     : some == 3 ? multiply_three
                 : multiply_one)(blocks, row_stride, panel, depth, c);
    blocks += some;
    c += some * kSums;
    count -= some;
  }
  _tile_release();
}

void sum_columns(const std::int8_t* panel, std::size_t depth, std::int32_t* sums) {
  vnni::kProducts.sum_columns(panel, depth, sums);
}

}  // namespace

const ProductKernels kProducts = {.name = "amx", .multiply = multiply, .sum_columns = sum_columns};

}  // namespace adapt::vector::amx
