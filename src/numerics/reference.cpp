#include "numerics/reference.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace adapt::reference {
namespace {

void append(Quantized& all, std::int64_t integer, bool finite) {
  all.integers.push_back(integer);
  all.result.nonzero += integer != 0 ? 1 : 0;
  all.result.finite = all.result.finite && finite;
}

}  // namespace

std::uint16_t random_piece(const RandomKey& key, std::size_t index) {
  const std::size_t piece = index % 8;
  const std::uint32_t word = random_block(key, static_cast<std::uint32_t>(index / 8))[piece / 2];
  return static_cast<std::uint16_t>(piece % 2 == 0 ? word & 0xFFFFU : word >> 16U);
}

std::int64_t quantize(float value, FixedFormat format, Rounding rounding, std::uint16_t piece) {
  const double scaled = std::ldexp(static_cast<double>(value), format.fractional_length);
  double rounded = std::nearbyint(scaled);  // the default rounding mode: ties to even
  if (rounding == Rounding::stochastic) {
    const double v = (piece + 0.5) / 65536.0;
    rounded = std::floor(scaled) + (v <= scaled - std::floor(scaled) ? 1.0 : 0.0);
  }
  const auto lowest = static_cast<double>(format.lowest());
  const auto highest = static_cast<double>(format.highest());
  return static_cast<std::int64_t>(std::clamp(rounded, lowest, highest));
}

Quantized quantize(std::span<const float> src, FixedFormat format, Rounding rounding, const RandomKey& key,
                   std::uint32_t first_block) {
  Quantized all;
  for (std::size_t i = 0; i < src.size(); ++i) {
    const bool finite = std::isfinite(src[i]);
    const std::uint16_t piece = random_piece(key, std::size_t{8} * first_block + i);
    append(all, finite ? quantize(src[i], format, rounding, piece) : 0, finite);
    all.result.largest = std::max(all.result.largest, std::abs(src[i]));
  }
  return all;
}

Quantized exact_integers(std::span<const float> src, int fractional_length, int terms) {
  Quantized all;
  for (const float value : src) {
    const double scaled = std::ldexp(static_cast<double>(value), fractional_length);
    const bool inside = std::abs(scaled) < 0x1p62 / terms;
    append(all, inside ? static_cast<std::int64_t>(std::nearbyint(scaled)) : 0, inside);
  }
  return all;
}

double sum_in_order(std::span<const double> terms) {
  std::array<double, 16> lanes = {};
  for (std::size_t i = 0; i < terms.size(); ++i) {
    lanes[i % 16] += terms[i];
  }
  for (const std::size_t width : {8, 4, 2, 1}) {
    for (std::size_t lane = 0; lane < width; ++lane) {
      lanes[lane] += lanes[lane + width];
    }
  }
  return lanes[0];
}

}  // namespace adapt::reference
