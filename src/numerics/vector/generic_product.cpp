// Products for processors that multiply no bytes: any x86-64 (SSE2).
#define ADAPT_INSTRUCTION_SET generic
#define ADAPT_VECTOR_BYTES 16
#define ADAPT_INTEGER_REGISTER __m128i
#define ADAPT_INTRINSIC(name) _mm_##name
#define ADAPT_ADD_PAIRS(sums, left, right) _mm_add_epi32(sums, _mm_madd_epi16(left, right))

#include "numerics/vector/word_product.inc"
