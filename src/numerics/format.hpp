#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <ostream>

#include "base/names.hpp"

namespace adapt {

/// A fixed-point format ⟨WL, FL⟩. A number is q · 2^-FL with an integer q in [-2^(WL-1), 2^(WL-1) - 1].
/// FL may exceed WL or be negative. Every number of a format with WL <= 25 is exact in float32.
struct FixedFormat {
  int word_length = 8;        ///< bits, sign included, 1..32
  int fractional_length = 4;  ///< bits behind the binary point

  [[nodiscard]] std::int64_t lowest() const { return -(std::int64_t{1} << (word_length - 1)); }
  [[nodiscard]] std::int64_t highest() const { return (std::int64_t{1} << (word_length - 1)) - 1; }
  /// 2^-FL, the distance between neighbouring numbers.
  [[nodiscard]] float step() const { return std::ldexp(1.0F, -fractional_length); }
  /// 2^FL.
  [[nodiscard]] float scale() const { return std::ldexp(1.0F, fractional_length); }

  bool operator==(const FixedFormat&) const = default;
};

inline std::ostream& operator<<(std::ostream& out, const FixedFormat& format) {
  return out << "<" << format.word_length << "," << format.fractional_length << ">";
}

/// How a real number becomes one of the grid: to the nearest (ties to even), or stochastically,
/// floor(x · 2^FL + u) with u uniform in [0, 1), so that the expectation is x inside the range.
enum class Rounding { nearest, stochastic };
template <>
inline constexpr auto kNames<Rounding> =
    std::array{Named{"stochastic", Rounding::stochastic}, Named{"nearest", Rounding::nearest}};

}  // namespace adapt
