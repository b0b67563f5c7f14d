#include "data/memory_dataset.hpp"

#include <set>

#include "base/sha256.hpp"
#include "data/checksum.hpp"
#include "fixtures.hpp"

namespace adapt {
namespace {

ImageArrays two_images() { return {{1, 2, 1}, 3, {10, 11, 20, 21}, {2, 1}}; }

TEST(MemoryDataset, ReadsByIndex) {
  const MemoryDataset dataset(two_images());
  test::Bytes image(2);
  EXPECT_EQ(dataset.read(1, image), 1);
  EXPECT_EQ(image, (test::Bytes{20, 21}));
  EXPECT_EQ(dataset.read(0, image), 2);
  EXPECT_EQ(image, (test::Bytes{10, 11}));
}

TEST(MemoryDataset, RefusesWrongIndexAndSizes) {
  const MemoryDataset dataset(two_images());
  test::Bytes image(2);
  test::Bytes small(1);
  EXPECT_THROW(dataset.read(2, image), Failure);
  EXPECT_THROW(dataset.read(-1, image), Failure);
  EXPECT_THROW(dataset.read(0, small), Failure);
  EXPECT_THROW(MemoryDataset({{1, 2, 1}, 3, {1, 2, 3}, {0, 1}}), Failure);
}

TEST(Checksum, IsTheDocumentedDigest) {
  const std::string header = "1x2x1 3 2\n";
  test::Bytes bytes(header.begin(), header.end());
  bytes.insert(bytes.end(), {2, 0, 0, 0, 10, 11, 1, 0, 0, 0, 20, 21});
  const MemoryDataset dataset(two_images());
  EXPECT_EQ(dataset.checksum(), sha256(std::as_bytes(std::span(bytes))));
  EXPECT_EQ(dataset.checksum(), content_checksum(dataset)) << "second call";
}

TEST(Checksum, DependsOnShapeClassesLabelsAndPixels) {
  std::set<std::string> digests = {MemoryDataset(two_images()).checksum()};
  ImageArrays other = two_images();
  other.shape = {2, 1, 1};
  digests.insert(MemoryDataset(other).checksum());
  other = two_images();
  other.classes = 4;
  digests.insert(MemoryDataset(other).checksum());
  other = two_images();
  other.labels[0] = 0;
  digests.insert(MemoryDataset(other).checksum());
  other = two_images();
  other.pixels[3] = 0;
  digests.insert(MemoryDataset(other).checksum());
  EXPECT_EQ(digests.size(), 5U);
}

TEST(KeepFirst, CutsAndChecks) {
  ImageArrays arrays = two_images();
  keep_first(arrays, 0, "data.train_samples");
  EXPECT_EQ(arrays.labels.size(), 2U);
  keep_first(arrays, 1, "data.train_samples");
  EXPECT_EQ(arrays.labels, test::Bytes{2});
  EXPECT_EQ(arrays.pixels, (test::Bytes{10, 11}));
  test::expect_bad_input([&] { keep_first(arrays, 2, "data.train_samples"); },
                         {"data.train_samples is 2", "has 1 images"});
}

}  // namespace
}  // namespace adapt
