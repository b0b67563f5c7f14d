#include "numerics/running_maxima.hpp"

#include <gtest/gtest.h>

#include <bit>

#include "base/error.hpp"

namespace adapt {
namespace {

using Observed = std::vector<std::optional<float>>;

TEST(RunningMaxima, RiseAtOnceAndDecay) {
  RunningMaxima maxima(1);
  EXPECT_FALSE(maxima[0].has_value());
  maxima.update(Observed{2.0F});
  EXPECT_EQ(maxima[0], 2.0F);
  maxima.update(Observed{0.5F});
  EXPECT_EQ(maxima[0], 0.95F * 2.0F);
  maxima.update(Observed{8.0F});
  EXPECT_EQ(maxima[0], 8.0F);
  for (int i = 0; i < 14; ++i) {
    maxima.update(Observed{0.01F});
  }
  EXPECT_NEAR(*maxima[0], 4.0F, 0.1F) << "halves in 14 steps";
}

TEST(RunningMaxima, AllZeroLeavesThemAndNotAskedForForgets) {
  RunningMaxima maxima(3);
  maxima.update(Observed{2.0F, 3.0F, 0.0F});
  EXPECT_FALSE(maxima[2].has_value()) << "all zero so far";
  maxima.update(Observed{0.0F, std::nullopt, std::nullopt});
  EXPECT_EQ(maxima[0], 2.0F);
  EXPECT_FALSE(maxima[1].has_value());
  EXPECT_FALSE(maxima[2].has_value());
}

/// Checkpoints of earlier versions must be read: 8 bytes each, a float's bits or -1.
TEST(RunningMaxima, SaveTheBitsOrMinusOne) {
  RunningMaxima maxima(3);
  maxima.update(Observed{1.5F, std::nullopt, 3.0F});
  StateWriter writer;
  maxima.save_state(writer, 0, 3);
  StateWriter expected;
  expected.put(static_cast<std::int64_t>(std::bit_cast<std::uint32_t>(1.5F)));
  expected.put(std::int64_t{-1});
  expected.put(static_cast<std::int64_t>(std::bit_cast<std::uint32_t>(3.0F)));
  EXPECT_EQ(writer.take(), expected.take());
}

TEST(RunningMaxima, ComeBackPartByPart) {
  RunningMaxima maxima(3);
  maxima.update(Observed{1.5F, std::nullopt, 3.0F});
  StateWriter writer;
  maxima.save_state(writer, 1, 2);
  maxima.save_state(writer, 0, 1);
  const std::vector<std::byte> state = writer.take();
  RunningMaxima other(3);
  StateReader reader(state);
  other.restore_state(reader, 1, 2);
  other.restore_state(reader, 0, 1);
  reader.finish();
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(other[i], maxima[i]) << i;
  }
  RunningMaxima more(4);
  StateReader again(state);
  EXPECT_THROW(more.restore_state(again, 0, 4), BadInput);
}

}  // namespace
}  // namespace adapt
