#include "numerics/quantize.hpp"

#include <cmath>
#include <cstddef>

#include "base/error.hpp"
#include "numerics/dispatch.hpp"

namespace adapt {
namespace {

constexpr int kMaxExactExponent = 512;
constexpr int kByteBits = 8;
constexpr int kWordBits = 16;

void require_equal_lengths(const char* function, std::size_t src, std::size_t other) {
  if (src != other) {
    throw Failure(concat(function, ": the source has ", src, " elements, the other span ", other));
  }
}

/// Runs one of the passes that share their arguments, over as many numbers as `dst` has.
template <class Pass, class Source, class Destination>
QuantizeResult run_from(Pass pass, const Source& src, std::span<Destination> dst, FixedFormat format,
                        Rounding rounding, const RandomKey& key, std::uint32_t first_block) {
  const vector::Grid grid = vector::grid_of(format);
  const vector::Sequence sequence = vector::sequence_of(key, first_block);
  const bool stochastic = rounding == Rounding::stochastic;
  const vector::Tally tally = pass(src, dst.data(), dst.size(), grid, stochastic ? &sequence : nullptr);
  return {.nonzero = tally.nonzero, .finite = tally.finite, .largest = tally.largest};
}

template <class Pass, class Destination>
QuantizeResult run(Pass pass, std::span<const float> src, std::span<Destination> dst, FixedFormat format,
                   Rounding rounding, const RandomKey& key, std::uint32_t first_block) {
  require_equal_lengths("quantize", src.size(), dst.size());
  return run_from(pass, src.data(), dst, format, rounding, key, first_block);
}

}  // namespace

QuantizeResult quantize(std::span<const float> src, std::span<float> dst, FixedFormat format,
                        Rounding rounding, const RandomKey& key, std::uint32_t first_block) {
  return run(vector::kernels().quantize, src, dst, format, rounding, key, first_block);
}

QuantizeResult quantize_add(std::span<const float> src, std::span<std::int32_t> sum, FixedFormat format,
                            Rounding rounding, const RandomKey& key, std::uint32_t first_block) {
  return run(vector::kernels().quantize_add32, src, sum, format, rounding, key, first_block);
}

QuantizeResult quantize_add(std::span<const float> src, std::span<std::int64_t> sum, FixedFormat format,
                            Rounding rounding, const RandomKey& key, std::uint32_t first_block) {
  return run(vector::kernels().quantize_add64, src, sum, format, rounding, key, first_block);
}

QuantizeResult quantize_to_integers(std::span<const float> src, std::span<std::int32_t> dst,
                                    FixedFormat format, Rounding rounding, const RandomKey& key,
                                    std::uint32_t first_block) {
  return run(vector::kernels().quantize_to_integers, src, dst, format, rounding, key, first_block);
}

QuantizeResult quantize_to_bytes(const vector::Numbers& src, std::span<std::int8_t> dst, FixedFormat format,
                                 Rounding rounding, const RandomKey& key, std::uint32_t first_block) {
  if (format.word_length > kByteBits) {
    throw BadInput(concat("the format ", format, " does not fit a byte"));
  }
  return run_from(vector::kernels().quantize_to_bytes, src, dst, format, rounding, key, first_block);
}

QuantizeResult quantize_to_bytes(std::span<const float> src, std::span<std::int8_t> dst, FixedFormat format,
                                 Rounding rounding, const RandomKey& key, std::uint32_t first_block) {
  require_equal_lengths("quantize_to_bytes", src.size(), dst.size());
  return quantize_to_bytes(vector::Numbers{.floats = src.data()}, dst, format, rounding, key, first_block);
}

QuantizeResult quantize_to_words(std::span<const float> src, std::span<std::int16_t> dst, FixedFormat format,
                                 Rounding rounding, const RandomKey& key, std::uint32_t first_block) {
  if (format.word_length > kWordBits) {
    throw BadInput(concat("the format ", format, " does not fit 16 bits"));
  }
  return run(vector::kernels().quantize_to_words, src, dst, format, rounding, key, first_block);
}

QuantizeResult add_exact(std::span<const float> src, std::span<std::int64_t> sum, int fractional_length,
                         int terms) {
  require_equal_lengths("add_exact", src.size(), sum.size());
  if (terms < 1 || std::abs(fractional_length) > kMaxExactExponent) {
    throw Failure(concat("add_exact: ", terms, " terms and fractional length ", fractional_length,
                         "; terms must be at least 1 and the length within ", kMaxExactExponent));
  }
  const vector::Tally tally = vector::kernels().add_exact(src.data(), sum.data(), src.size(),
                                                          std::ldexp(1.0, fractional_length), 0x1p62 / terms);
  return {.nonzero = tally.nonzero, .finite = tally.finite, .largest = tally.largest};
}

void dequantize(std::span<const std::int32_t> src, std::span<float> dst, double scale) {
  require_equal_lengths("dequantize", src.size(), dst.size());
  vector::kernels().dequantize32(src.data(), dst.data(), src.size(), scale);
}

void dequantize(std::span<const std::int64_t> src, std::span<float> dst, double scale) {
  require_equal_lengths("dequantize", src.size(), dst.size());
  vector::kernels().dequantize64(src.data(), dst.data(), src.size(), scale);
}

const char* vector_isa() { return vector::kernels().name; }

}  // namespace adapt
