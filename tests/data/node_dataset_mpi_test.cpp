// What one rank has opened, all ranks of the node read.

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "data/memory_dataset.hpp"
#include "data/node_dataset.hpp"
#include "support/world.hpp"

namespace adapt {
namespace {

constexpr ImageShape kShape{4, 3, 2};

std::shared_ptr<const Dataset> images(int count, std::uint8_t first) {
  ImageArrays arrays = {kShape, 200, {}, {}};
  for (int i = 0; i < count; ++i) {
    arrays.labels.push_back(static_cast<std::uint8_t>((first + i) % 200));
    for (int pixel = 0; pixel < kShape.elements(); ++pixel) {
      arrays.pixels.push_back(static_cast<std::uint8_t>(first + 7 * i + pixel));
    }
  }
  return std::make_shared<MemoryDataset>(std::move(arrays));
}

/// More than the pieces in which memory is given back.
DataSplits splits() { return {images(5000, 1), images(7, 50), {{0.5F, 0.25F, 0.125F}, {2, 3, 4}}}; }

TEST(NodeDataset, AllRanksReadWhatTheFirstHasOpened) {
  const DataSplits own = splits();
  const DataSplits shared = share_on_node(test::world().rank() == 0 ? splits() : DataSplits{}, test::world());
  ASSERT_NE(shared.train, nullptr);
  EXPECT_EQ(shared.train->checksum(), own.train->checksum());
  EXPECT_EQ(shared.test->checksum(), own.test->checksum());
  EXPECT_EQ(shared.train->shape(), kShape);
  EXPECT_EQ(shared.test->classes(), 200);
  EXPECT_EQ(shared.normalization.mean, own.normalization.mean);
  EXPECT_EQ(shared.normalization.deviation, own.normalization.deviation);
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(kShape.elements()));
  EXPECT_THROW(shared.test->read(7, pixels), Failure);
  EXPECT_THROW(shared.test->read(-1, pixels), Failure);
  EXPECT_THROW(shared.test->read(0, std::span(pixels).first(3)), Failure);
}

}  // namespace
}  // namespace adapt
