// Products of words and of float32 numbers: AVX-512 F and BW.
#define ADAPT_INSTRUCTION_SET avx512
#define ADAPT_VECTOR_BYTES 64
#define ADAPT_INTEGER_REGISTER __m512i
#define ADAPT_INTRINSIC(name) _mm512_##name
#define ADAPT_ADD_PAIRS(sums, left, right) _mm512_add_epi32(sums, _mm512_madd_epi16(left, right))

#include "numerics/vector/integer_product.inc"

#define ADAPT_FLOAT_REGISTER __m512
#define ADAPT_FLOAT_INTRINSIC(name) _mm512_##name
#define ADAPT_FUSED_MULTIPLY_ADD(left, right, sum) _mm512_fmadd_ps(left, right, sum)

#include "numerics/vector/float_product.inc"
