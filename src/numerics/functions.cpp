#include "numerics/functions.hpp"

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>

namespace adapt {
namespace {

/// sum of coefficients[i] · x^i.
template <std::size_t kCount>
double polynomial(double x, const std::array<double, kCount>& coefficients) {
  double sum = 0;
  for (std::size_t i = kCount; i-- > 0;) {
    sum = sum * x + coefficients[i];
  }
  return sum;
}

/// 1 / (first + i · step)!
template <std::size_t kCount>
constexpr std::array<double, kCount> inverse_factorials(int first, int step) {
  std::array<double, kCount> inverses{};
  double factorial = 1;
  int n = 0;
  for (std::size_t i = 0; i < kCount; ++i) {
    for (; n < first + static_cast<int>(i) * step; ++n) {
      factorial *= n + 1;
    }
    inverses[i] = 1 / factorial;
  }
  return inverses;
}

// In two parts, the first of which has so few bits that its multiples are exact.
constexpr double kLog2High = 0x1.62e42feep-1;
constexpr double kLog2Low = 0x1.a39ef35793c76p-33;
constexpr double kQuarterHigh = 0x1.921fb544p+0;  // π / 2
constexpr double kQuarterLow = 0x1.0b4611a626331p-34;

double nearest_integer(double x) { return std::floor(x + 0.5); }

}  // namespace

double exp(double x) {
  constexpr double kLeast = -745.2;
  constexpr double kGreatest = 709.8;
  if (!(x >= kLeast)) {
    return std::isnan(x) ? x : 0.0;
  }
  if (x > kGreatest) {
    return std::numeric_limits<double>::infinity();
  }
  // e^x = 2^k · e^r, |r| <= ln(2) / 2: the next term of the series is below 1e-17.
  static constexpr auto kSeries = inverse_factorials<14>(0, 1);
  const double k = nearest_integer(x * std::numbers::log2e);
  const double r = (x - k * kLog2High) - k * kLog2Low;
  return std::ldexp(polynomial(r, kSeries), static_cast<int>(k));
}

double log(double x) {
  if (!(x > 0) || std::isinf(x)) {
    return x == 0  ? -std::numeric_limits<double>::infinity()
           : x > 0 ? x
                   : std::numeric_limits<double>::quiet_NaN();
  }
  // x = 2^k · m, m in [sqrt(1/2), sqrt(2)); ln m = 2 · artanh f with f = (m - 1) / (m + 1).
  int k = 0;
  double m = std::frexp(x, &k);
  if (m < std::numbers::sqrt2 / 2) {
    m *= 2;
    --k;
  }
  static constexpr std::array<double, 12> kSeries = {1.0,      1.0 / 3,  1.0 / 5,  1.0 / 7,
                                                     1.0 / 9,  1.0 / 11, 1.0 / 13, 1.0 / 15,
                                                     1.0 / 17, 1.0 / 19, 1.0 / 21, 1.0 / 23};
  const double f = (m - 1) / (m + 1);
  return k * kLog2High + (2 * f * polynomial(f * f, kSeries) + k * kLog2Low);
}

double cos(double x) {
  // x = k · π/2 + r, |r| <= π/4.
  static constexpr auto kSine = inverse_factorials<9>(1, 2);
  static constexpr auto kCosine = inverse_factorials<10>(0, 2);
  const double k = nearest_integer(x / (std::numbers::pi / 2));
  const double r = (x - k * kQuarterHigh) - k * kQuarterLow;
  const double square = -(r * r);
  const auto quadrant = static_cast<long>(k) & 3L;
  const double value = quadrant % 2 == 0 ? polynomial(square, kCosine) : r * polynomial(square, kSine);
  return quadrant == 1 || quadrant == 2 ? -value : value;
}

double power(double base, long exponent) {
  double result = 1;
  for (; exponent > 0; exponent /= 2, base *= base) {
    result *= exponent % 2 != 0 ? base : 1;
  }
  return result;
}

}  // namespace adapt
