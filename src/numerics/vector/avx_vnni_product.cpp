// Products of words and bytes with AVX-VNNI, which processors without AVX-512 have.
#define ADAPT_INSTRUCTION_SET avx_vnni
#define ADAPT_VECTOR_BYTES 32
#define ADAPT_INTEGER_REGISTER __m256i
#define ADAPT_INTRINSIC(name) _mm256_##name
#define ADAPT_ADD_PAIRS(sums, left, right) _mm256_dpwssd_avx_epi32(sums, left, right)
#define ADAPT_ADD_GROUPS(sums, left, right) _mm256_dpbusd_avx_epi32(sums, left, right)

#include "numerics/vector/integer_product.inc"
