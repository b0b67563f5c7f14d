// Average pooling against loops over windows. Numbers are integers, so sums are exact; windows of 1, 2 and 4
// make exact means, others are compared with the mean's rounding in mind.

#include "nn/kernels/average_pooling.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "numerics/random.hpp"

namespace adapt {
namespace {

struct Case {
  Window spec;
  Shape input;
  Shape output;
};

Case make_case(int kernel, int stride, const Shape& input) {
  const int height = (input.h - kernel) / stride + 1;
  const int width = (input.w - kernel) / stride + 1;
  return {{.kernel = kernel, .stride = stride}, input, {input.n, input.c, height, width}};
}

/// Windows side by side, overlapping and apart; borders left out; one window; one pixel.
std::vector<Case> cases() {
  std::vector<Case> all;
  for (const int channels : {1, 3, 6, 16, 17}) {
    for (const int kernel : {1, 2, 3, 4}) {
      for (const int stride : {1, 2, 3}) {
        all.push_back(make_case(kernel, stride, {2, channels, 7, 8}));
      }
    }
    all.push_back(make_case(4, 4, {3, channels, 4, 4}));
    all.push_back(make_case(1, 1, {1, channels, 1, 1}));
  }
  return all;
}

std::vector<float> integers(const Shape& shape) {
  RandomSequence random({.seed = 3});
  std::vector<float> values(static_cast<std::size_t>(shape.elements()));
  for (float& value : values) {
    value = static_cast<float>(random.below(31)) - 15.0F;
  }
  return values;
}

std::size_t at(const Shape& s, int n, int h, int w, int c) {
  return static_cast<std::size_t>(((n * s.h + h) * s.w + w) * s.c + c);
}

/// Calls `visit(element of the input, element of the output)` for each element of each window.
template <class Visit>
void for_each_pair(const Case& c, Visit visit) {
  for (int n = 0; n < c.output.n; ++n) {
    for (int y = 0; y < c.output.h; ++y) {
      for (int x = 0; x < c.output.w; ++x) {
        for (int i = 0; i < c.spec.kernel * c.spec.kernel; ++i) {
          for (int channel = 0; channel < c.input.c; ++channel) {
            visit(at(c.input, n, y * c.spec.stride + i / c.spec.kernel, x * c.spec.stride + i % c.spec.kernel,
                     channel),
                  at(c.output, n, y, x, channel));
          }
        }
      }
    }
  }
}

void expect_means(const std::vector<float>& found, const std::vector<float>& sums, int kernel) {
  const auto count = static_cast<float>(kernel * kernel);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    if (kernel == 3) {
      ASSERT_NEAR(found[i], sums[i] / count, 1e-5F) << i;
    } else {
      ASSERT_EQ(found[i], sums[i] / count) << i;
    }
  }
}

TEST(AveragePooling, ForwardEqualsLoops) {
  for (const Case& c : cases()) {
    const std::vector<float> source = integers(c.input);
    std::vector<float> sums(static_cast<std::size_t>(c.output.elements()));
    for_each_pair(c, [&](std::size_t in, std::size_t out) { sums[out] += source[in]; });
    std::vector<float> destination(sums.size(), 1e30F);
    AveragePooling(c.spec, c.input, c.output).forward(source.data(), destination.data());
    expect_means(destination, sums, c.spec.kernel);
  }
}

TEST(AveragePooling, BackwardEqualsLoopsAndIsZeroWhereNoWindowReaches) {
  for (const Case& c : cases()) {
    const std::vector<float> gradient = integers(c.output);
    std::vector<float> sums(static_cast<std::size_t>(c.input.elements()));
    for_each_pair(c, [&](std::size_t in, std::size_t out) { sums[in] += gradient[out]; });
    std::vector<float> source_gradient(sums.size(), 1e30F);
    AveragePooling(c.spec, c.input, c.output).backward(gradient.data(), source_gradient.data());
    expect_means(source_gradient, sums, c.spec.kernel);
  }
}

}  // namespace
}  // namespace adapt
