// Folders of PNG files, which libpng's simplified interface writes here.

#include <png.h>

#include <algorithm>
#include <utility>

#include "data/dataset.hpp"
#include "fixtures.hpp"
#include "support/scratch.hpp"

namespace adapt {
namespace {

using test::Bytes;

constexpr int kHeight = 3;
constexpr int kWidth = 5;

/// `format` as PNG_FORMAT_GRAY, PNG_FORMAT_RGB.
Bytes png(png_uint_32 format, const Bytes& pixels, int width = kWidth) {
  png_image image = {};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width);
  image.height = kHeight;
  image.format = format;
  png_alloc_size_t size = 0;
  EXPECT_NE(png_image_write_get_memory_size(image, size, 0, pixels.data(), 0, nullptr), 0);
  Bytes bytes(size);
  EXPECT_NE(png_image_write_to_memory(&image, bytes.data(), &size, 0, pixels.data(), 0, nullptr), 0);
  return bytes;
}

Bytes color(std::uint8_t first) {
  Bytes pixels;
  for (int i = 0; i < kHeight * kWidth * 3; ++i) {
    pixels.push_back(static_cast<std::uint8_t>(first + 11 * i));
  }
  return pixels;
}

/// Two images of cats and three of dogs to train with, one cat to test with.
class PngFolder : public testing::Test {
 protected:
  PngFolder() {
    put("train/cat/a.png", png(PNG_FORMAT_RGB, color(1)));
    put("train/cat/b.png", png(PNG_FORMAT_RGB, color(2)));
    put("train/dog/a.png", png(PNG_FORMAT_RGB, color(3)));
    put("train/dog/b.png", png(PNG_FORMAT_RGB, color(4)));
    put("train/dog/c.png", png(PNG_FORMAT_RGB, color(5)));
    put("train/.hidden", {1});
    put("test/dog/x.png", png(PNG_FORMAT_RGB, color(6)));
    options_.name = "png_folder";
    options_.path = scratch_.path();
  }
  void put(const std::string& name, const Bytes& bytes) const {
    test::write_bytes(scratch_.path() / name, bytes);
  }
  void expect_refused(const std::string& name, const std::string& part, const std::string& other = "") const {
    test::expect_bad_input([&] { open_dataset(options_, 0); },
                           {(scratch_.path() / name).string(), part, other});
  }

  test::Scratch scratch_;
  DataOptions options_;
};

TEST_F(PngFolder, ImagesOfAllClassesTakeTurns) {
  const DataSplits splits = open_dataset(options_, 0);
  EXPECT_EQ(splits.train->shape(), (ImageShape{kHeight, kWidth, 3}));
  EXPECT_EQ(splits.train->classes(), 2);
  Bytes image(kHeight * kWidth * 3);
  std::vector<std::pair<int, int>> found;
  for (int i = 0; i < splits.train->size(); ++i) {
    const int label = splits.train->read(i, image);
    found.emplace_back(label, image[0]);
  }
  EXPECT_EQ(found, (std::vector<std::pair<int, int>>{{0, 1}, {1, 3}, {0, 2}, {1, 4}, {1, 5}}));
  EXPECT_EQ(splits.test->read(0, image), 1);
  EXPECT_EQ(image, color(6));
  const DataDescription told = describe_dataset(options_);
  EXPECT_EQ(told.shape, splits.train->shape());
  EXPECT_EQ(told.images, 6);
}

TEST_F(PngFolder, TheFirstImagesAreDecodedOnly) {
  options_.train_samples = 2;
  put("train/dog/c.png", {1, 2, 3});
  EXPECT_EQ(open_dataset(options_, 0).train->size(), 2);
}

TEST_F(PngFolder, GrayImagesHaveOneChannel) {
  const Bytes gray(kHeight * kWidth, 77);
  for (const char* name : {"train/cat/a.png", "train/cat/b.png", "train/dog/a.png", "train/dog/b.png",
                           "train/dog/c.png", "test/dog/x.png"}) {
    put(name, png(PNG_FORMAT_GRAY, gray));
  }
  const DataSplits splits = open_dataset(options_, 0);
  EXPECT_EQ(splits.train->shape(), (ImageShape{kHeight, kWidth, 1}));
  Bytes image(gray.size());
  splits.train->read(0, image);
  EXPECT_EQ(image, gray);
}

TEST_F(PngFolder, EveryTruncationAndEveryChangedByteIsRefused) {
  const Bytes good = png(PNG_FORMAT_RGB, color(1));
  for (std::size_t size = 0; size < good.size(); ++size) {
    put("train/cat/a.png", Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)));
    expect_refused("train/cat/a.png", "byte ");
  }
  for (std::size_t place = 0; place < good.size(); ++place) {
    Bytes bad = good;
    bad[place] ^= 0x10;
    put("train/cat/a.png", bad);
    expect_refused("train/cat/a.png", "expected ");
  }
  Bytes longer = good;
  longer.push_back(0);
  put("train/cat/a.png", longer);
  expect_refused("train/cat/a.png", concat("byte ", good.size()), "1 surplus");
}

TEST_F(PngFolder, OtherImagesAreRefused) {
  put("train/dog/b.png", png(PNG_FORMAT_RGB, Bytes(kHeight * 4 * 3), 4));
  expect_refused("train/dog/b.png", "expected an image of 3x5 with 3 channels", "found 3x4 with 3 channels");
  put("train/dog/b.png", png(PNG_FORMAT_GRAY, Bytes(kHeight * kWidth)));
  expect_refused("train/dog/b.png", "found 3x5 with 1 channel");
  put("train/dog/b.png", png(PNG_FORMAT_RGBA, Bytes(kHeight * kWidth * 4)));
  expect_refused("train/dog/b.png", "not transparent");
  put("train/dog/b.png", png(PNG_FORMAT_LINEAR_Y, Bytes(kHeight * kWidth * 2)));
  expect_refused("train/dog/b.png", "16 bits a channel");
}

TEST_F(PngFolder, FoldersThatAreNoneAreRefused) {
  put("test/bird/x.png", png(PNG_FORMAT_RGB, color(1)));
  expect_refused("test/bird", "expected a class of the training set");
  std::filesystem::remove_all(scratch_.path() / "test");
  expect_refused("test", "expected a folder");
  put("test/dog/x.jpg", {1});
  expect_refused("test/dog/x.jpg", "NAME.png");
  std::filesystem::remove_all(scratch_.path() / "train/cat");
  expect_refused("train", "two classes");
  options_.path.clear();
  test::expect_bad_input([&] { open_dataset(options_, 0); }, {"data.path is empty"});
}

}  // namespace
}  // namespace adapt
