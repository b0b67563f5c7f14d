// Products of words and bytes with AVX-512 VNNI.
#define ADAPT_INSTRUCTION_SET vnni
#define ADAPT_VECTOR_BYTES 64
#define ADAPT_INTEGER_REGISTER __m512i
#define ADAPT_INTRINSIC(name) _mm512_##name
#define ADAPT_ADD_PAIRS(sums, left, right) _mm512_dpwssd_epi32(sums, left, right)
#define ADAPT_ADD_GROUPS(sums, left, right) _mm512_dpbusd_epi32(sums, left, right)

#include "numerics/vector/integer_product.inc"
