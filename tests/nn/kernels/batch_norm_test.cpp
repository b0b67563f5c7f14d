// Batch normalization tile by tile against its formulas over the whole batch, in double.

#include "nn/kernels/batch_norm.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "numerics/channels.hpp"
#include "numerics/random.hpp"

namespace adapt {
namespace {

constexpr double kEpsilon = 1e-5;

/// Integers of a byte, of which sums are exact in float32.
std::vector<float> bytes(std::size_t count, std::uint64_t seed) {
  RandomSequence random({.seed = seed});
  std::vector<float> values(count);
  for (float& value : values) {
    value = static_cast<float>(random.below(256)) - 128.0F;
  }
  return values;
}

/// A batch of `pixels` with as many channels, and all that its normalization has to give.
struct Batch {
  Batch(std::size_t pixel_count, std::size_t channel_count)
      : pixels(pixel_count),
        channels(channel_count),
        x(bytes(pixels * channels, 1)),
        dy(bytes(pixels * channels, 2)),
        scale(bytes(channels, 3)),
        shift(bytes(channels, 4)) {}

  /// Σ over the pixels of a channel.
  template <class Term>
  [[nodiscard]] double sum(std::size_t channel, Term term) const {
    double total = 0;
    for (std::size_t i = channel; i < x.size(); i += channels) {
      total += term(i);
    }
    return total;
  }
  [[nodiscard]] double mean(std::size_t c) const {
    return sum(c, [&](std::size_t i) { return double{x[i]}; }) / static_cast<double>(pixels);
  }
  [[nodiscard]] double variance(std::size_t c) const {
    const double center = mean(c);
    return sum(c, [&](std::size_t i) { return (x[i] - center) * (x[i] - center); }) /
           static_cast<double>(pixels);
  }
  [[nodiscard]] double normalized(std::size_t i) const {
    return (x[i] - mean(i % channels)) / std::sqrt(variance(i % channels) + kEpsilon);
  }

  /// Calls use(first, length) for tiles of a few periods, the last one shorter.
  template <class Use>
  void each_tile(Use use) const {
    const std::size_t tile = 2 * channel_period(channels);
    for (std::size_t first = 0; first < x.size(); first += tile) {
      use(first, std::min(tile, x.size() - first));
    }
  }
  [[nodiscard]] static Numbers part(const std::vector<float>& all, std::size_t first) {
    return {.floats = all.data() + first};
  }

  std::size_t pixels;
  std::size_t channels;
  std::vector<float> x, dy, scale, shift;
};

/// Of float32 arithmetic on numbers as large as `size`.
double tolerance(double size) { return 1e-5 * (1 + std::abs(size)); }

class BatchNormKernelTest : public testing::TestWithParam<std::size_t> {
 protected:
  BatchNormKernelTest() : batch_(331, GetParam()), kernel_(GetParam(), kEpsilon) {
    kernel_.clear_sums();
    batch_.each_tile(
        [&](std::size_t first, std::size_t length) { kernel_.add(batch_.part(batch_.x, first), length); });
    statistics_ = kernel_.statistics(static_cast<double>(batch_.pixels));
    kernel_.set(statistics_, batch_.scale, batch_.shift);
  }

  Batch batch_;
  BatchNormKernel kernel_;
  BatchNormKernel::Statistics statistics_;
};

TEST_P(BatchNormKernelTest, StatisticsOfBytesAreExact) {
  for (std::size_t c = 0; c < batch_.channels; ++c) {
    EXPECT_EQ(statistics_.mean[c], batch_.mean(c));
    const auto pixels = static_cast<double>(batch_.pixels);
    const double squares = batch_.sum(c, [&](std::size_t i) { return double{batch_.x[i]} * batch_.x[i]; });
    EXPECT_EQ(statistics_.variance[c], squares / pixels - batch_.mean(c) * batch_.mean(c));
    EXPECT_NEAR(statistics_.variance[c], batch_.variance(c), 1e-9 * batch_.variance(c));
  }
}

TEST_P(BatchNormKernelTest, NormalizesAsTheFormula) {
  std::vector<float> y(batch_.x.size());
  batch_.each_tile([&](std::size_t first, std::size_t length) {
    kernel_.normalize(batch_.part(batch_.x, first), std::span(y).subspan(first, length));
  });
  for (std::size_t i = 0; i < y.size(); ++i) {
    const std::size_t c = i % batch_.channels;
    const double scaled = batch_.scale[c] * batch_.normalized(i);
    ASSERT_NEAR(y[i], scaled + batch_.shift[c], tolerance(128 + std::abs(scaled)));
  }
}

TEST_P(BatchNormKernelTest, GradientsAreThoseOfTheFormula) {
  const auto pixels = static_cast<double>(batch_.pixels);
  std::vector<float> scale_gradient(batch_.channels);
  std::vector<float> shift_gradient(batch_.channels);
  std::vector<float> dx(batch_.x.size());
  for (int repeat = 0; repeat < 2; ++repeat) {  // what was summed before must not matter
    kernel_.clear_sums();
    batch_.each_tile([&](std::size_t first, std::size_t length) {
      kernel_.add(batch_.part(batch_.dy, first), batch_.part(batch_.x, first), length);
    });
    kernel_.finish_gradients(pixels, batch_.scale, scale_gradient, shift_gradient);
  }
  batch_.each_tile([&](std::size_t first, std::size_t length) {
    kernel_.gradient(batch_.part(batch_.dy, first), batch_.part(batch_.x, first),
                     std::span(dx).subspan(first, length));
  });
  for (std::size_t c = 0; c < batch_.channels; ++c) {
    const double sum = batch_.sum(c, [&](std::size_t i) { return double{batch_.dy[i]}; });
    const double product = batch_.sum(c, [&](std::size_t i) { return batch_.dy[i] * batch_.normalized(i); });
    EXPECT_EQ(shift_gradient[c], static_cast<float>(sum));
    EXPECT_NEAR(scale_gradient[c], product, tolerance(product));
    const double a = batch_.scale[c] / std::sqrt(batch_.variance(c) + kEpsilon);
    for (std::size_t i = c; i < dx.size(); i += batch_.channels) {
      const double expected = a * (batch_.dy[i] - sum / pixels - batch_.normalized(i) * product / pixels);
      ASSERT_NEAR(dx[i], expected, tolerance(128 * std::abs(a)));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Channels, BatchNormKernelTest, testing::Values(1, 5, 16, 300));

TEST(BatchNormKernel, AConstantChannelHasNoVariance) {
  BatchNormKernel kernel(1, kEpsilon);
  kernel.clear_sums();
  const std::vector<float> constant(100, 0.1F);
  kernel.add({.floats = constant.data()}, constant.size());
  EXPECT_GE(kernel.statistics(100).variance[0], 0);
}

}  // namespace
}  // namespace adapt
