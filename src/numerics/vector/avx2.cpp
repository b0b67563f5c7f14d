// Kernels for x86-64 with AVX2 and FMA.
#define ADAPT_INSTRUCTION_SET avx2
#define ADAPT_VECTOR_BYTES 32
#define ADAPT_INTEGER_REGISTER __m256i
#define ADAPT_INTRINSIC(name) _mm256_##name

#include "numerics/vector/kernels.inc"
