#include "data/normalize.hpp"

#include <numeric>

#include "fixtures.hpp"

namespace adapt {
namespace {

TEST(Normalize, EveryByteOfEveryChannel) {
  const Normalization constants{{0.5F, 0.25F, 0.1F}, {0.5F, 0.2F, 0.3F}};
  for (const int channels : {1, 2, 3}) {
    const NormalizationTable table(constants, channels);
    const auto width = static_cast<std::size_t>(channels);
    test::Bytes bytes(256 * width);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] = static_cast<std::uint8_t>(i / width);
    }
    std::vector<float> values(bytes.size());
    table.apply(bytes, values);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const std::size_t channel = i % width;
      const double expected = (bytes[i] / 255.0 - constants.mean[channel]) / constants.deviation[channel];
      ASSERT_EQ(values[i], static_cast<float>(expected))
          << "byte " << int{bytes[i]} << ", channel " << channel;
    }
  }
}

TEST(Normalize, ByHand) {
  const NormalizationTable table({{0.5F}, {0.5F}}, 1);
  std::vector<float> values(2);
  table.apply(test::Bytes{0, 255}, values);
  EXPECT_EQ(values, (std::vector<float>{-1, 1}));
}

TEST(Normalize, RefusesWrongSizes) {
  EXPECT_THROW(NormalizationTable({}, 0), Failure);
  EXPECT_THROW(NormalizationTable({}, 4), Failure);
  const NormalizationTable table({}, 3);
  std::vector<float> values(4);
  EXPECT_THROW(table.apply(test::Bytes(4), values), Failure) << "not a multiple of the channels";
  EXPECT_THROW(table.apply(test::Bytes(3), values), Failure);
}

}  // namespace
}  // namespace adapt
