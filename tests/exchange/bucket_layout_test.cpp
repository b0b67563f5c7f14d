#include "exchange/bucket_layout.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <vector>

namespace adapt {
namespace {

constexpr std::size_t kLarge = BucketLayout::kElements;

TEST(BucketLayout, SmallTensorsShareABucketInTheOrderOfBackward) {
  const BucketLayout layout({10, 20, 30}, {0, 0, 0});
  ASSERT_EQ(layout.buckets().size(), 1U);
  EXPECT_EQ(layout.buckets()[0].size, 60U);
  EXPECT_EQ(layout.buckets()[0].tensors, (std::vector<std::size_t>{2, 1, 0}));
  EXPECT_EQ(layout.place(2).offset, 0U);
  EXPECT_EQ(layout.place(1).offset, 30U);
  EXPECT_EQ(layout.place(0).offset, 50U);
}

TEST(BucketLayout, AFullBucketTakesNoMore) {
  const BucketLayout layout({5, kLarge, 7, 8}, {0, 0, 0, 0});
  ASSERT_EQ(layout.buckets().size(), 2U);
  EXPECT_EQ(layout.buckets()[0].tensors, (std::vector<std::size_t>{3, 2, 1}));
  EXPECT_EQ(layout.buckets()[1].tensors, (std::vector<std::size_t>{0}));
  EXPECT_EQ(layout.place(0).bucket, 1U);
}

TEST(BucketLayout, KindsStayApartWithoutCuttingEachOther) {
  const BucketLayout layout({1, 2, 3, 4}, {32, 64, 32, 64});
  ASSERT_EQ(layout.buckets().size(), 2U);
  EXPECT_EQ(layout.buckets()[0].kind, 64);
  EXPECT_EQ(layout.buckets()[0].tensors, (std::vector<std::size_t>{3, 1}));
  EXPECT_EQ(layout.buckets()[1].kind, 32);
  EXPECT_EQ(layout.buckets()[1].size, 4U);
}

}  // namespace
}  // namespace adapt
