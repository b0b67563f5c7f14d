// Kernels for x86-64 with AVX-512 F, BW, DQ and VL.
#define ADAPT_INSTRUCTION_SET avx512
#define ADAPT_VECTOR_BYTES 64
#define ADAPT_INTEGER_REGISTER __m512i
#define ADAPT_INTRINSIC(name) _mm512_##name

#include "numerics/vector/kernels.inc"
