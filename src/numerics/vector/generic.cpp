// Kernels for any x86-64 (SSE2).
#define ADAPT_INSTRUCTION_SET generic
#define ADAPT_VECTOR_BYTES 16
#define ADAPT_INTEGER_REGISTER __m128i
#define ADAPT_INTRINSIC(name) _mm_##name

#include "numerics/vector/kernels.inc"
