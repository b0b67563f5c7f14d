#pragma once

namespace adapt {

// Functions whose bits are the same on every processor, which those of a C library are not: it chooses among
// variants of its own. They are made of additions, multiplications and divisions of doubles in a fixed order;
// errors are below 1e-15 of the result.

/// e^x; 0 where it is below the least double, infinite where it is above the greatest.
[[nodiscard]] double exp(double x);
/// The natural logarithm; -infinite of 0, NaN of less.
[[nodiscard]] double log(double x);
/// The cosine, of magnitudes up to 1e5: the error is absolute.
[[nodiscard]] double cos(double x);
/// base^exponent for a whole exponent >= 0, by multiplications.
[[nodiscard]] double power(double base, long exponent);

}  // namespace adapt
