// 8-bit products for any x86-64 (SSE2): pairs of neighbours along the depth are multiplied as 16-bit numbers,
// whose sums of two products are exact.

#include <emmintrin.h>

#include "numerics/vector/product.hpp"

namespace adapt::vector::plain {
namespace {

/// Depth that is widened at a time: its panel stays in the first cache.
constexpr std::size_t kPiece = kProductDepth;
constexpr std::size_t kGroupBytes = kProductTile * kProductGroup;
/// Registers that hold a group of four rows of a panel in 16 bits, two columns each.
constexpr std::size_t kRegisters = kGroupBytes / 8;
/// Of them at a time, so that the sums stay in registers.
constexpr std::size_t kAtOnce = 4;

/// A piece of a panel in 16 bits.
struct WidePanel {
  __m128i groups[kPiece / kProductGroup][kRegisters];
};

__m128i load(const void* from) { return _mm_loadu_si128(static_cast<const __m128i*>(from)); }
void store(void* to, __m128i value) { _mm_storeu_si128(static_cast<__m128i*>(to), value); }

void widen(const std::int8_t* panel, WidePanel& wide) {
  for (auto& group : wide.groups) {
    for (std::size_t i = 0; i < kRegisters; i += 2, panel += 16) {
      const __m128i bytes = load(panel);
      group[i] = _mm_srai_epi16(_mm_unpacklo_epi8(bytes, bytes), 8);
      group[i + 1] = _mm_srai_epi16(_mm_unpackhi_epi8(bytes, bytes), 8);
    }
  }
}

/// Four bytes of a row in 16 bits, twice.
__m128i broadcast_group(const std::uint8_t* from) {
  std::int32_t group = 0;
  __builtin_memcpy(&group, from, sizeof group);
  return _mm_unpacklo_epi8(_mm_set1_epi32(group), _mm_setzero_si128());
}

/// Adds a row's products with a piece to its 16 sums.
void add_row(const std::uint8_t* row, const WidePanel& wide, std::int32_t* sums) {
  for (std::size_t first = 0; first < kRegisters; first += kAtOnce) {
    __m128i pairs[kAtOnce] = {};  // of each column two sums, of the even and odd pairs
    for (std::size_t k = 0; k < kPiece; k += kProductGroup) {
      const __m128i left = broadcast_group(row + k);
#pragma GCC unroll 4
      for (std::size_t i = 0; i < kAtOnce; ++i) {
        const __m128i products = _mm_madd_epi16(left, wide.groups[k / kProductGroup][first + i]);
        pairs[i] = _mm_add_epi32(pairs[i], products);
      }
    }
    for (std::size_t i = 0; i < kAtOnce; i += 2) {
      const __m128 even = _mm_castsi128_ps(pairs[i]);
      const __m128 odd = _mm_castsi128_ps(pairs[i + 1]);
      const __m128i total = _mm_add_epi32(_mm_castps_si128(_mm_shuffle_ps(even, odd, 0x88)),
                                          _mm_castps_si128(_mm_shuffle_ps(even, odd, 0xDD)));
      std::int32_t* const to = sums + (first + i) * 2;
      store(to, _mm_add_epi32(load(to), total));
    }
  }
}

void multiply_panel(const std::uint8_t* const* blocks, std::size_t count, std::size_t row_stride,
                    const std::int8_t* panel, std::size_t depth, std::int32_t* c) {
  __builtin_memset(c, 0, count * kProductTile * kProductTile * sizeof *c);
  for (std::size_t k = 0; k < depth; k += kPiece) {
    WidePanel wide;
    widen(panel + k * kProductTile, wide);
    for (std::size_t row = 0; row < count * kProductTile; ++row) {
      add_row(blocks[row / kProductTile] + row % kProductTile * row_stride + k, wide, c + row * kProductTile);
    }
  }
}

void multiply(const std::uint8_t* const* blocks, std::size_t count, std::size_t row_stride,
              const std::int8_t* panels, std::size_t panel_count, std::size_t depth, std::int32_t* c) {
  for (std::size_t panel = 0; panel < panel_count; ++panel) {
    multiply_panel(blocks, count, row_stride, panels + panel * kProductTile * depth, depth,
                   c + panel * count * kProductTile * kProductTile);
  }
}

void sum_columns(const std::int8_t* panel, std::size_t depth, std::int32_t* sums) {
  for (std::size_t column = 0; column < kProductTile; ++column) {
    sums[column] = 0;
    for (std::size_t k = 0; k < depth; k += kProductGroup) {
      for (std::size_t i = 0; i < kProductGroup; ++i) {
        sums[column] += panel[k * kProductTile + column * kProductGroup + i];
      }
    }
  }
}

}  // namespace

const ProductKernels kProducts = {.name = "plain", .multiply = multiply, .sum_columns = sum_columns};

}  // namespace adapt::vector::plain
