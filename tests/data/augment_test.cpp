#include "data/augment.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "fixtures.hpp"
#include "numerics/random.hpp"

namespace adapt {
namespace {

using test::Bytes;

constexpr std::uint64_t kSeed = 5;

Bytes image_of(const ImageShape& shape) {
  Bytes image(static_cast<std::size_t>(shape.elements()));
  for (std::size_t i = 0; i < image.size(); ++i) {
    image[i] = static_cast<std::uint8_t>(1 + i % 255);  // never zero, so that padding shows
  }
  return image;
}

/// The obvious way: build the padded image, cut the window, mirror it.
Bytes reference(const Bytes& image, const ImageShape& shape, int padding, bool flips, std::uint32_t epoch,
                std::uint32_t index) {
  RandomSequence random({kSeed, Stream::augmentation, 0, epoch, index});
  const auto top = static_cast<int>(random.below(static_cast<std::uint32_t>(2 * padding + 1)));
  const auto left = static_cast<int>(random.below(static_cast<std::uint32_t>(2 * padding + 1)));
  const bool flip = flips && random.below(2) == 1;
  const int width = shape.width + 2 * padding;
  const int height = shape.height + 2 * padding;
  const auto at = [&](int w, int y, int x, int c) {
    return static_cast<std::size_t>((y * w + x) * shape.channels + c);
  };
  Bytes padded(static_cast<std::size_t>(width * height * shape.channels));
  Bytes result(image.size());
  for (int y = 0; y < shape.height; ++y) {
    for (int x = 0; x < shape.width; ++x) {
      for (int c = 0; c < shape.channels; ++c) {
        padded[at(width, y + padding, x + padding, c)] = image[at(shape.width, y, x, c)];
      }
    }
  }
  for (int y = 0; y < shape.height; ++y) {
    for (int x = 0; x < shape.width; ++x) {
      for (int c = 0; c < shape.channels; ++c) {
        const int from = flip ? shape.width - 1 - x : x;
        result[at(shape.width, y, x, c)] = padded[at(width, y + top, from + left, c)];
      }
    }
  }
  return result;
}

TEST(Augment, EqualsTheReference) {
  for (const ImageShape& shape : {ImageShape{32, 32, 3}, ImageShape{28, 28, 1}, ImageShape{3, 5, 2}}) {
    const Bytes image = image_of(shape);
    Bytes result(image.size());
    for (const int padding : {0, 1, 3}) {
      for (const bool flips : {false, true}) {
        const Augmentation augmentation(flips ? AugmentationKind::crop_flip : AugmentationKind::crop, padding,
                                        shape, kSeed);
        for (std::uint32_t index = 0; index < 100; ++index) {
          augmentation.apply(2, index, image, result);
          ASSERT_EQ(result, reference(image, shape, padding, flips, 2, index))
              << shape.height << "x" << shape.width << ", padding " << padding << ", index " << index;
        }
      }
    }
  }
}

TEST(Augment, NoneCopies) {
  const ImageShape shape{4, 4, 1};
  const Bytes image = image_of(shape);
  Bytes result(image.size());
  Augmentation(AugmentationKind::none, 4, shape, kSeed).apply(0, 0, image, result);
  EXPECT_EQ(result, image);
}

TEST(Augment, EveryPlaceAndBothSidesByHand) {
  const ImageShape shape{1, 2,
                         1};  // image [1 2]; padded by 1: three rows of [0 1 2 0], image in the middle one
  const Augmentation augmentation(AugmentationKind::crop_flip, 1, shape, kSeed);
  std::map<int, int> seen;  // by the two bytes as decimal digits
  Bytes result(2);
  constexpr int kDraws = 9000;
  for (int index = 0; index < kDraws; ++index) {
    augmentation.apply(0, index, Bytes{1, 2}, result);
    ++seen[10 * result[0] + result[1]];
  }
  // Row: 1/3 the image's, else black. Column: [0 1], [1 2] or [2 0]; mirrored half of the time.
  EXPECT_EQ(seen.size(), 7U);
  EXPECT_NEAR(seen[0], kDraws * 2 / 3, 250);
  for (const int row : {1, 10, 12, 21, 20, 2}) {
    EXPECT_NEAR(seen[row], kDraws / 18, 120);
  }
}

TEST(Augment, KeyedBySeedEpochAndIndex) {
  const ImageShape shape{32, 32, 3};
  const Bytes image = image_of(shape);
  const auto series = [&](std::uint64_t seed, std::int64_t epoch, std::int64_t first) {
    const Augmentation augmentation(AugmentationKind::crop_flip, 4, shape, seed);
    std::vector<Bytes> results(10, Bytes(image.size()));
    for (std::size_t i = 0; i < results.size(); ++i) {
      augmentation.apply(epoch, first + static_cast<std::int64_t>(i), image, results[i]);
    }
    return results;
  };
  EXPECT_EQ(series(1, 0, 0), series(1, 0, 0));
  EXPECT_NE(series(1, 0, 0), series(2, 0, 0));
  EXPECT_NE(series(1, 0, 0), series(1, 1, 0));
  EXPECT_NE(series(1, 0, 0), series(1, 0, 10));
}

TEST(Augment, RefusesBadOptions) {
  const ImageShape shape{28, 28, 1};
  test::expect_bad_input([&] { Augmentation(AugmentationKind::crop, -1, shape, 0); },
                         {"data.crop_padding is -1", "0..28"});
  test::expect_bad_input([&] { Augmentation(AugmentationKind::crop, 29, shape, 0); },
                         {"data.crop_padding is 29"});
  for (const auto& entry : kNames<AugmentationKind>) {
    EXPECT_NO_THROW(Augmentation(entry.value, 28, shape, 0));
  }
}

}  // namespace
}  // namespace adapt
