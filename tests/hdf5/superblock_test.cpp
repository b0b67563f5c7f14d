#include "hdf5/superblock.hpp"

#include <gtest/gtest.h>

#include <string_view>

#include "hdf5/file.hpp"

namespace adapt::hdf5 {
namespace {

std::uint32_t hash(std::string_view text) { return lookup3(std::as_bytes(std::span(text))); }

TEST(Lookup3, ValuesOfTheAuthorsSelfTest) {
  // driver5() of lookup3.c by Bob Jenkins, 2006.
  EXPECT_EQ(hash(""), 0xdeadbeefU);
  EXPECT_EQ(hash("Four score and seven years ago"), 0x17770551U);
}

TEST(Superblock, TheChecksumIsRepaired) {
  const File file = File::create();
  std::vector<std::byte> image = file.image();
  const std::vector<std::byte> good = image;
  for (std::size_t i = 44; i < 48; ++i) {
    image[i] = std::byte{0};
  }
  EXPECT_THROW(File::open(image, "broken"), Error);
  repair_superblock_checksum(image);
  EXPECT_EQ(image, good);
}

TEST(Superblock, OtherImagesAreRefused) {
  std::vector<std::byte> image(100, std::byte{0});
  EXPECT_THROW(repair_superblock_checksum(image), Error) << "version 0";
  image[8] = std::byte{2};
  image[9] = std::byte{255};
  EXPECT_THROW(repair_superblock_checksum(image), Error) << "checksum behind the end";
  EXPECT_THROW(repair_superblock_checksum({}), Error);
}

}  // namespace
}  // namespace adapt::hdf5
