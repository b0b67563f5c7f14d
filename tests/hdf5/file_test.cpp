#include "hdf5/file.hpp"

#include <gtest/gtest.h>

namespace adapt::hdf5 {
namespace {

TEST(File, AnImageIsAWholeFileWhileTheFileStaysOpen) {
  const File file = File::create();
  Group root = file.root();
  root.set_attribute("n", std::int64_t{1});
  const std::vector<std::byte> first = file.image();
  root.set_attribute("n", std::int64_t{2});
  const std::vector<std::byte> second = file.image();
  EXPECT_EQ(File::open(first, "x").root().integer_attribute("n"), 1);
  EXPECT_EQ(File::open(second, "x").root().integer_attribute("n"), 2);
}

TEST(File, TwoImagesOfOneNameAreTwoFiles) {
  // HDF5's memory driver tells files apart by name: the module must not hand it the same one twice.
  const File one = File::create();
  const File two = File::create();
  one.root().set_attribute("n", std::int64_t{1});
  two.root().set_attribute("n", std::int64_t{2});
  const File first = File::open(one.image(), "run.h5");
  const File second = File::open(two.image(), "run.h5");
  EXPECT_EQ(first.root().integer_attribute("n"), 1);
  EXPECT_EQ(second.root().integer_attribute("n"), 2);
}

TEST(File, BytesBehindTheEndAreIgnoredAndMissingOnesNoticed) {
  const File file = File::create();
  file.root().set_attribute("n", std::int64_t{1});
  std::vector<std::byte> bytes = file.image();
  bytes.insert(bytes.end(), 100, std::byte{0xff});
  EXPECT_EQ(File::open(bytes, "longer").root().integer_attribute("n"), 1);
  bytes.resize(bytes.size() - 101);
  EXPECT_THROW(File::open(bytes, "shorter"), Error);
  EXPECT_THROW(File::open({}, "empty"), Error);
}

TEST(File, AnOpenedFileIsReadOnly) {
  const File file = File::create();
  const File copy = File::open(file.image(), "copy");
  EXPECT_THROW(copy.root().set_attribute("n", std::int64_t{1}), Error);
}

TEST(File, RewrittenPartialChunksDoNotPileUp) {
  const File file = File::create();
  Dataset series = file.root().create_series("s", Datatype::of<std::int32_t>(), 4096);
  std::size_t first = 0;
  for (std::int32_t i = 0; i < 4000; ++i) {
    const std::vector<std::int32_t> row = {
        static_cast<std::int32_t>(static_cast<std::uint32_t>(i) * 0x9E3779B1U)};
    series.append(std::span<const std::int32_t>(row));
    if (i % 40 == 0) {
      const std::size_t size = file.image().size();
      if (i == 0) {
        first = size;
      }
      EXPECT_LT(size, first + 5 * (i + 1000) * sizeof(std::int32_t)) << "after " << i << " rows";
    }
  }
}

}  // namespace
}  // namespace adapt::hdf5
