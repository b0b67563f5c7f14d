// Products of words and of float32 numbers: any x86-64 (SSE2).
#define ADAPT_INSTRUCTION_SET generic
#define ADAPT_VECTOR_BYTES 16
#define ADAPT_INTEGER_REGISTER __m128i
#define ADAPT_INTRINSIC(name) _mm_##name
#define ADAPT_ADD_PAIRS(sums, left, right) _mm_add_epi32(sums, _mm_madd_epi16(left, right))

#include "numerics/vector/integer_product.inc"

namespace adapt::vector::generic {
namespace {

/// left · right + sum, rounded to float32 as if once: a double holds the product, and the sum to a bit that
/// tells whether something is missing, odd being "yes" (Boldo and Melquiond 2008, "Emulation of a FMA and
/// correctly rounded sums: proved algorithms using rounding to odd").
__m128d fused_in_doubles(__m128d left, __m128d right, __m128d sum) {
  const __m128d product = _mm_mul_pd(left, right);
  const __m128d total = _mm_add_pd(product, sum);
  // What the addition lost (Knuth's two-sum).
  const __m128d other = _mm_sub_pd(total, product);
  const __m128d lost = _mm_add_pd(_mm_sub_pd(product, _mm_sub_pd(total, other)), _mm_sub_pd(sum, other));
  const __m128d magnitude = _mm_andnot_pd(_mm_set1_pd(-0.0), lost);
  const __m128i bits = _mm_castpd_si128(total);
  // 1 where something is lost and the last bit is even, else 0; NaN lost nothing.
  const __m128i one = _mm_set1_epi64x(1);
  const __m128i moved =
      _mm_and_si128(_mm_castpd_si128(_mm_cmpgt_pd(magnitude, _mm_setzero_pd())), _mm_andnot_si128(bits, one));
  // 1 where the total is too large in magnitude.
  const __m128i beyond = _mm_srli_epi64(_mm_castpd_si128(_mm_xor_pd(total, lost)), 63);
  const __m128i back = _mm_slli_epi64(_mm_and_si128(moved, beyond), 1);
  return _mm_castsi128_pd(_mm_sub_epi64(_mm_add_epi64(bits, moved), back));
}

__m128 fused_multiply_add(__m128 left, __m128 right, __m128 sum) {
  const auto high = [](__m128 numbers) { return _mm_cvtps_pd(_mm_movehl_ps(numbers, numbers)); };
  const __m128 low_half =
      _mm_cvtpd_ps(fused_in_doubles(_mm_cvtps_pd(left), _mm_cvtps_pd(right), _mm_cvtps_pd(sum)));
  return _mm_movelh_ps(low_half, _mm_cvtpd_ps(fused_in_doubles(high(left), high(right), high(sum))));
}

}  // namespace
}  // namespace adapt::vector::generic

#define ADAPT_FLOAT_REGISTER __m128
#define ADAPT_FLOAT_INTRINSIC(name) _mm_##name
#define ADAPT_FUSED_MULTIPLY_ADD(left, right, sum) fused_multiply_add(left, right, sum)

#include "numerics/vector/float_product.inc"
