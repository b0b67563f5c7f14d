// Products with AVX-512 VNNI.
#define ADAPT_INSTRUCTION_SET vnni
#define ADAPT_VECTOR_BYTES 64
#define ADAPT_INTEGER_REGISTER __m512i
#define ADAPT_INTRINSIC(name) _mm512_##name
#define ADAPT_ADD_PAIRS(sums, left, right) _mm512_dpwssd_epi32(sums, left, right)

#include <cstddef>
#include <cstdint>

#include "numerics/vector/word_product.inc"

namespace adapt::vector::vnni {
namespace {

constexpr std::size_t kGroupBytes = kProductTile * kByteGroup;  // a register: four steps of the depth

__m512i load(const std::int8_t* from) { return _mm512_loadu_si512(from); }

__m512i broadcast_group(const std::uint8_t* from) {
  std::int32_t group = 0;
  __builtin_memcpy(&group, from, sizeof group);
  return _mm512_set1_epi32(group);
}

/// The products of kRows rows with kPanels panels.
template <std::size_t kRows, std::size_t kPanels>
inline void multiply_rows(const std::uint8_t* rows, const RowPlaces& left, const std::int8_t* panels,
                          std::size_t depth, const std::int32_t* initial, std::int32_t* c,
                          const SumPlaces& places) {
  __m512i sums[kPanels][kRows];
#pragma GCC unroll 2
  for (std::size_t panel = 0; panel < kPanels; ++panel) {
#pragma GCC unroll 16
    for (std::size_t row = 0; row < kRows; ++row) {
      sums[panel][row] = _mm512_loadu_si512(initial != nullptr ? initial + panel * kProductTile
                                                               : c + panel * places.panel + row * places.row);
    }
  }
  const std::size_t run_depth = depth / left.runs;
  const std::int8_t* panel_rows = panels;
  for (std::size_t run = 0; run < left.runs; ++run, rows += left.pitch) {
    for (std::size_t k = 0; k < run_depth; k += kByteGroup, panel_rows += kGroupBytes) {
      __m512i right[kPanels];
#pragma GCC unroll 2
      for (std::size_t panel = 0; panel < kPanels; ++panel) {
        right[panel] = load(panel_rows + panel * kProductTile * depth);
      }
#pragma GCC unroll 16
      for (std::size_t row = 0; row < kRows; ++row) {
        const __m512i group = broadcast_group(rows + row * left.row + k);
#pragma GCC unroll 2
        for (std::size_t panel = 0; panel < kPanels; ++panel) {
          sums[panel][row] = _mm512_dpbusd_epi32(sums[panel][row], group, right[panel]);
        }
      }
    }
  }
#pragma GCC unroll 2
  for (std::size_t panel = 0; panel < kPanels; ++panel) {
#pragma GCC unroll 16
    for (std::size_t row = 0; row < kRows; ++row) {
      _mm512_storeu_si512(c + panel * places.panel + row * places.row, sums[panel][row]);
    }
  }
}

/// The products of all blocks with kPanels panels, kRows rows at a time.
template <std::size_t kRows, std::size_t kPanels>
void multiply_blocks(const std::uint8_t* const* blocks, std::size_t count, const RowPlaces& left,
                     const std::int8_t* panels, std::size_t depth, const std::int32_t* initial,
                     std::int32_t* c, const SumPlaces& places) {
  for (std::size_t block = 0; block < count; ++block) {
    for (std::size_t row = 0; row < kProductTile; row += kRows) {
      multiply_rows<kRows, kPanels>(blocks[block] + row * left.row, left, panels, depth, initial,
                                    c + block * places.block + row * places.row, places);
    }
  }
}

void multiply(const std::uint8_t* const* blocks, std::size_t count, const RowPlaces& rows,
              const std::int8_t* panels, std::size_t panel_count, std::size_t depth,
              const std::int32_t* initial, std::int32_t* c, const SumPlaces& places) {
  const SumPlaces own = places;  // copies that writing to `c` cannot change
  const RowPlaces left = rows;
  const std::size_t step = initial == nullptr ? 0 : kProductTile;
  // Two panels at a time: half as many loads of the left matrix. Registers hold the sums of half a block
  // then.
  for (; panel_count >= 2; panel_count -= 2) {
    multiply_blocks<kProductTile / 2, 2>(blocks, count, left, panels, depth, initial, c, own);
    panels += 2 * kProductTile * depth;
    c += 2 * own.panel;
    initial += 2 * step;
  }
  if (panel_count > 0) {
    multiply_blocks<kProductTile, 1>(blocks, count, left, panels, depth, initial, c, own);
  }
}

void sum_columns(const std::int8_t* panel, std::size_t depth, std::int32_t* sums) {
  const __m512i ones = _mm512_set1_epi8(1);
  __m512i even = _mm512_setzero_si512();
  __m512i odd = _mm512_setzero_si512();
  for (std::size_t k = 0; k < depth; k += 2 * kByteGroup, panel += 2 * kGroupBytes) {
    even = _mm512_dpbusd_epi32(even, ones, load(panel));
    odd = _mm512_dpbusd_epi32(odd, ones, load(panel + kGroupBytes));
  }
  _mm512_storeu_si512(sums, _mm512_add_epi32(even, odd));
}

}  // namespace

const ByteProducts kBytes = {.depth_step = kByteGroup, .multiply = multiply, .sum_columns = sum_columns};

}  // namespace adapt::vector::vnni
