#pragma once

#include <cstdint>
#include <span>

#include "numerics/format.hpp"
#include "numerics/random.hpp"
#include "numerics/vector/kernels.hpp"

namespace adapt {

/// What a quantization pass learned about its input on the way.
struct QuantizeResult {
  std::int64_t nonzero = 0;  ///< elements whose quantized value is not zero
  bool finite = true;        ///< no NaN and no Inf among the inputs; if false the output is unspecified
  float largest = 0;  ///< largest magnitude of the inputs, Inf or NaN if not finite; add_exact leaves it 0
};

/// Formats that the passes accept: 2^FL and 2^-FL are float32 numbers, and no quantized value overflows.
inline constexpr int kMaxWordLength = 32;
inline constexpr int kMinFractionalLength = -96;
inline constexpr int kMaxFractionalLength = 126;

/// Whether the passes accept ⟨word_length, fractional_length⟩.
constexpr bool is_accepted(std::int64_t word_length, std::int64_t fractional_length) {
  return word_length >= 1 && word_length <= kMaxWordLength && fractional_length >= kMinFractionalLength &&
         fractional_length <= kMaxFractionalLength;
}

// All passes below: q = clamp(round(x · 2^FL)) as algorithm "Fixed point", exact for every float32 x.
// Stochastic rounding of element i takes the i-th 16-bit piece r of the key's sequence (piece i of block i /
// 8, low half of a word first) as v = (r + 1/2) / 65536 and computes floor(x · 2^FL) + (v <= fraction), which
// is exact where floor(x · 2^FL + u) would round. Vector code is chosen at run time; the result does not
// depend on it. `first_block` moves the start: the span begins at element 8 · first_block of the sequence, so
// that an array may be cut at multiples of 8. Errors: BadInput for a format outside the limits above, Failure
// when two spans differ in length.

/// dst[i] = q · 2^-FL, for WL > 25 rounded to float32. `dst` may be `src`. `key` is not used for
/// Rounding::nearest.
QuantizeResult quantize(std::span<const float> src, std::span<float> dst, FixedFormat format,
                        Rounding rounding, const RandomKey& key, std::uint32_t first_block = 0);

/// sum[i] += q: the order-free sum of gradients over shards. The caller makes sure that no sum overflows.
QuantizeResult quantize_add(std::span<const float> src, std::span<std::int32_t> sum, FixedFormat format,
                            Rounding rounding, const RandomKey& key, std::uint32_t first_block = 0);
QuantizeResult quantize_add(std::span<const float> src, std::span<std::int64_t> sum, FixedFormat format,
                            Rounding rounding, const RandomKey& key, std::uint32_t first_block = 0);

/// dst[i] = q (for storing a model; values of `src` may be off the grid).
QuantizeResult quantize_to_integers(std::span<const float> src, std::span<std::int32_t> dst,
                                    FixedFormat format, Rounding rounding, const RandomKey& key,
                                    std::uint32_t first_block = 0);

/// dst[i] = q, for formats with WL <= 8 (else BadInput): operands of integer arithmetic.
QuantizeResult quantize_to_bytes(std::span<const float> src, std::span<std::int8_t> dst, FixedFormat format,
                                 Rounding rounding, const RandomKey& key, std::uint32_t first_block = 0);

/// The same of as many numbers in any form, without a mask.
QuantizeResult quantize_to_bytes(const vector::Numbers& src, std::span<std::int8_t> dst, FixedFormat format,
                                 Rounding rounding, const RandomKey& key, std::uint32_t first_block = 0);

/// dst[i] = q, for formats with WL <= 16 (else BadInput).
QuantizeResult quantize_to_words(std::span<const float> src, std::span<std::int16_t> dst, FixedFormat format,
                                 Rounding rounding, const RandomKey& key, std::uint32_t first_block = 0);

/// sum[i] += round-to-nearest-even(src[i] · 2^fractional_length) in 64 bits, for exact order-free sums of
/// float32 numbers. Elements with |src[i] · 2^fractional_length| >= 2^62 / terms, NaN and Inf make the result
/// not finite and their sums unspecified; `terms` >= 1 is the number of summands that the whole sum will
/// have; |fractional_length| <= 512, else Failure.
QuantizeResult add_exact(std::span<const float> src, std::span<std::int64_t> sum, int fractional_length,
                         int terms);

/// dst[i] = float(src[i] · scale), the product taken in double.
void dequantize(std::span<const std::int32_t> src, std::span<float> dst, double scale);
void dequantize(std::span<const std::int64_t> src, std::span<float> dst, double scale);

/// Name of the vector code that was chosen: "avx512", "avx2" or "generic". The environment variable
/// ADAPT_ISA=generic|avx2|avx_vnni|avx512|vnni|amx lowers the choice (for tests and measurements).
const char* vector_isa();

}  // namespace adapt
