// Means of bytes against loops in double.

#include "nn/kernels/average_bytes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

#include "numerics/random.hpp"

namespace adapt {
namespace {

template <class To>
To stored(double number) {
  if constexpr (std::is_same_v<To, float>) {
    return static_cast<float>(number);
  } else {
    constexpr double kLow = std::numeric_limits<To>::min();
    constexpr double kHigh = std::numeric_limits<To>::max();
    return static_cast<To>(std::clamp(std::nearbyint(number), kLow, kHigh));
  }
}

template <class From, class To>
void expect_equals_loops(const Window& window, float factor) {
  const Shape in = {3, 5, 8, 9};
  const Shape out = window.output(in, in.c);
  RandomSequence random({.seed = 1});
  std::vector<From> source(static_cast<std::size_t>(in.elements()));
  std::ranges::generate(source, [&] { return static_cast<From>(random.bits() % 256); });
  std::vector<To> found(static_cast<std::size_t>(out.elements()));
  average_bytes(window, in, out, factor, source.data(), found.data());
  const auto at = [](const Shape& s, int n, int y, int x, int c) {
    return static_cast<std::size_t>(((n * s.h + y) * s.w + x) * s.c + c);
  };
  for (int i = 0; i < static_cast<int>(found.size()); ++i) {
    const int c = i % out.c;
    const int x = i / out.c % out.w;
    const int y = i / out.c / out.w % out.h;
    const int n = i / out.c / out.w / out.h;
    int sum = 0;
    for (int tap = 0; tap < window.kernel * window.kernel; ++tap) {
      sum += source[at(in, n, y * window.stride + tap / window.kernel,
                       x * window.stride + tap % window.kernel, c)];
    }
    ASSERT_EQ(found[static_cast<std::size_t>(i)], stored<To>(double{factor} * sum)) << i;
  }
}

// Factors are powers of two, so that ties are met and no product is rounded; the last one saturates.
TEST(AverageBytes, EqualsLoops) {
  for (const Window& window : {Window{2, 2, 0}, Window{3, 2, 0}, Window{8, 8, 0}, Window{1, 3, 0}}) {
    for (const float factor : {0.25F, 0.0625F, 1.0F}) {
      expect_equals_loops<std::int8_t, std::int8_t>(window, factor);
      expect_equals_loops<std::int8_t, float>(window, factor);
      expect_equals_loops<std::uint8_t, std::uint8_t>(window, factor);
      expect_equals_loops<std::uint8_t, float>(window, factor);
    }
  }
}

}  // namespace
}  // namespace adapt
