// The data gradient of strided layers as a product of stride 1: against loops in int64, without anybody's
// products.

#include "nn/kernels/exact_data_gradient.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "nn/kernels/integer_products.hpp"

namespace adapt {
namespace {

/// The sums of a product, by loops.
void multiply(const WindowProduct& product, const std::vector<std::int8_t>& source,
              const std::vector<std::int8_t>& weights, SumSink& sink) {
  const Shape& in = product.source;
  const Shape& out = product.destination;
  const auto all = static_cast<std::size_t>(out.elements());
  std::int32_t* const sums = sink.room(0, all);
  const int inputs = product.group_inputs();
  for (int i = 0; i < static_cast<int>(all); ++i) {
    const int o = i % out.c;
    const int place = i / out.c;
    const int image = place / (out.h * out.w);
    sums[i] = 0;
    for (int term = 0; term < inputs * product.kernel * product.kernel; ++term) {
      const int tap = term % (product.kernel * product.kernel);
      const int y = product.source_of(place / out.w % out.h, tap / product.kernel, in.h);
      const int x = product.source_of(place % out.w, tap % product.kernel, in.w);
      if (y >= 0 && x >= 0) {
        const int channel = o / product.group_outputs() * inputs + term / (product.kernel * product.kernel);
        sums[i] += source[static_cast<std::size_t>(((image * in.h + y) * in.w + x) * in.c + channel)] *
                   weights[static_cast<std::size_t>(o * inputs * product.kernel * product.kernel + term)];
      }
    }
  }
  sink.take(0, all);
}

TEST(ExactDataGradient, EqualsLoops) {
  RandomSequence random({.seed = 79});
  int phased = 0;
  for (int i = 0; i < 300 && !HasFailure(); ++i) {
    const ProductGeometry layer = test::small_geometry(random);
    SCOPED_TRACE(testing::PrintToString(layer));
    const test::ByteProducts data(layer, test::RandomBytes(static_cast<std::uint64_t>(i)));
    const ExactDataGradient gradient(layer);
    phased += gradient.product().destination.c != layer.input.c ? 1 : 0;
    EXPECT_TRUE(!gradient.product().transposed || gradient.product().is_depthwise());
    std::vector<std::int8_t> weights(gradient.weights());
    gradient.exchange<std::int8_t>(data.weights, weights);
    AlignedVector<std::int32_t> memory;
    const auto sums = test::sums_of(data.x.size(), [&](SumSink& dx) {
      gradient.run(dx, memory, [&](SumSink& sink) { multiply(gradient.product(), data.dy, weights, sink); });
    });
    EXPECT_EQ(std::vector<std::int64_t>(sums.begin(), sums.end()), data.data_gradient);
  }
  EXPECT_GT(phased, 100);
}

TEST(ExactDataGradient, MultipliesFewZeros) {
  // A 3x3 layer of stride 2: windows of 2x2 for four neighbours, 16 terms for the 9 of four sums that are not
  // zero.
  const ExactDataGradient gradient({{1, 16, 8, 8}, {1, 32, 4, 4}, 3, 2, 1});
  EXPECT_EQ(gradient.product().kernel, 2);
  EXPECT_EQ(gradient.product().destination.c, 64);
  EXPECT_EQ(gradient.product().destination.h, 4);
}

}  // namespace
}  // namespace adapt
