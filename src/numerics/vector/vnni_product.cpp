// 8-bit products with AVX-512 VNNI.

#include <immintrin.h>

#include "numerics/vector/product.hpp"

namespace adapt::vector::vnni {
namespace {

constexpr std::size_t kGroupBytes = kProductTile * kProductGroup;  // a register: four steps of the depth

__m512i load(const std::int8_t* from) { return _mm512_loadu_si512(from); }

__m512i broadcast_group(const std::uint8_t* from) {
  std::int32_t group = 0;
  __builtin_memcpy(&group, from, sizeof group);
  return _mm512_set1_epi32(group);
}

void multiply_block(const std::uint8_t* block, std::size_t row_stride, const std::int8_t* panel,
                    std::size_t depth, std::int32_t* c) {
  __m512i sums[kProductTile];
#pragma GCC unroll 16
  for (__m512i& sum : sums) {
    sum = _mm512_setzero_si512();
  }
  for (std::size_t k = 0; k < depth; k += kProductGroup) {
    const __m512i right = load(panel + k / kProductGroup * kGroupBytes);
#pragma GCC unroll 16
    for (std::size_t row = 0; row < kProductTile; ++row) {
      sums[row] = _mm512_dpbusd_epi32(sums[row], broadcast_group(block + row * row_stride + k), right);
    }
  }
#pragma GCC unroll 16
  for (std::size_t row = 0; row < kProductTile; ++row) {
    _mm512_storeu_si512(c + row * kProductTile, sums[row]);
  }
}

void multiply(const std::uint8_t* const* blocks, std::size_t count, std::size_t row_stride,
              const std::int8_t* panels, std::size_t panel_count, std::size_t depth, std::int32_t* c) {
  for (std::size_t panel = 0; panel < panel_count; ++panel, panels += kProductTile * depth) {
    for (std::size_t block = 0; block < count; ++block, c += kProductTile * kProductTile) {
      multiply_block(blocks[block], row_stride, panels, depth, c);
    }
  }
}

void sum_columns(const std::int8_t* panel, std::size_t depth, std::int32_t* sums) {
  const __m512i ones = _mm512_set1_epi8(1);
  __m512i even = _mm512_setzero_si512();
  __m512i odd = _mm512_setzero_si512();
  for (std::size_t k = 0; k < depth; k += 2 * kProductGroup, panel += 2 * kGroupBytes) {
    even = _mm512_dpbusd_epi32(even, ones, load(panel));
    odd = _mm512_dpbusd_epi32(odd, ones, load(panel + kGroupBytes));
  }
  _mm512_storeu_si512(sums, _mm512_add_epi32(even, odd));
}

}  // namespace

const ProductKernels kProducts = {.name = "vnni", .multiply = multiply, .sum_columns = sum_columns};

}  // namespace adapt::vector::vnni
