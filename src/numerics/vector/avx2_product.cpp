// Products of words and of float32 numbers: AVX2 and FMA.
#define ADAPT_INSTRUCTION_SET avx2
#define ADAPT_VECTOR_BYTES 32
#define ADAPT_INTEGER_REGISTER __m256i
#define ADAPT_INTRINSIC(name) _mm256_##name
#define ADAPT_ADD_PAIRS(sums, left, right) _mm256_add_epi32(sums, _mm256_madd_epi16(left, right))

#include "numerics/vector/integer_product.inc"

#define ADAPT_FLOAT_REGISTER __m256
#define ADAPT_FLOAT_INTRINSIC(name) _mm256_##name
#define ADAPT_FUSED_MULTIPLY_ADD(left, right, sum) _mm256_fmadd_ps(left, right, sum)

#include "numerics/vector/float_product.inc"
