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

TEST(MakeSplits, TakesTheFirstAndChecks) {
  DataOptions options;
  EXPECT_EQ(make_splits(two_images(), two_images(), options, {}).train->size(), 2);
  options.train_samples = 1;
  const DataSplits cut = make_splits(two_images(), two_images(), options, {});
  test::Bytes image(2);
  EXPECT_EQ(cut.train->size(), 1);
  EXPECT_EQ(cut.train->read(0, image), 2);
  EXPECT_EQ(image, (test::Bytes{10, 11}));
  EXPECT_THROW(cut.train->read(1, image), Failure);
  EXPECT_EQ(cut.test->size(), 2);
  options.train_samples = 3;
  test::expect_bad_input([&] { make_splits(two_images(), two_images(), options, {}); },
                         {"data.train_samples is 3", "has 2 images"});
}

/// Two blocks of two and one images, of three planes of two bytes each, with two bytes before each image.
ImageBlocks planar_images(const test::Bytes& first, const test::Bytes& second) {
  return {.shape = {1, 2, 3},
          .classes = 4,
          .planar = true,
          .blocks = {{.bytes = std::span(first).subspan(2), .distance = 8, .images = 2, .mapped = true},
                     {.bytes = std::span(second).subspan(2), .distance = 8, .images = 1, .mapped = true}},
          .labels = {3, 0, 1}};
}

TEST(MemoryDataset, ReadsPlanarImagesOfSeveralBlocks) {
  const test::Bytes first = {99, 99, 1, 2, 3, 4, 5, 6, 99, 99, 11, 12, 13, 14, 15, 16};
  const test::Bytes second = {99, 99, 21, 22, 23, 24, 25, 26};
  const MemoryDataset dataset(planar_images(first, second));
  EXPECT_TRUE(dataset.is_mapped());
  test::Bytes image(6);
  EXPECT_EQ(dataset.read(2, image), 1);
  EXPECT_EQ(image, (test::Bytes{21, 23, 25, 22, 24, 26}));
  EXPECT_EQ(dataset.read(1, image), 0);
  EXPECT_EQ(image, (test::Bytes{11, 13, 15, 12, 14, 16}));
}

TEST(MemoryDataset, RefusesBlocksThatDoNotHoldTheirImages) {
  const test::Bytes first(16);
  const test::Bytes second(8);
  for (const std::size_t missing : {1U, 8U}) {
    ImageBlocks images = planar_images(first, second);
    images.blocks[0].bytes = images.blocks[0].bytes.first(images.blocks[0].bytes.size() - missing);
    EXPECT_THROW(MemoryDataset{images}, Failure) << missing;
  }
  ImageBlocks images = planar_images(first, second);
  images.labels.push_back(1);
  EXPECT_THROW(MemoryDataset{images}, Failure);
}

}  // namespace
}  // namespace adapt
