#include "data/augment.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "numerics/random.hpp"

namespace adapt {
namespace {

/// Copies `pixels` pixels of `channels` bytes in reverse order.
void copy_mirrored(const std::uint8_t* source, std::ptrdiff_t pixels, std::ptrdiff_t channels,
                   std::uint8_t* result) {
  for (std::ptrdiff_t x = 0; x < pixels; ++x) {
    std::copy_n(source + (pixels - 1 - x) * channels, channels, result + x * channels);
  }
}

}  // namespace

Augmentation::Augmentation(AugmentationKind kind, int padding, const ImageShape& shape, std::uint64_t seed)
    : crop_(kind != AugmentationKind::none),
      flip_(kind == AugmentationKind::crop_flip),
      padding_(padding),
      shape_(shape),
      seed_(seed) {
  const int most = std::min(shape.height, shape.width);
  if (padding < 0 || padding > most) {
    throw BadInput(concat("data.crop_padding is ", padding, ": expected 0..", most, " for images of ",
                          shape.height, "x", shape.width));
  }
}

void Augmentation::apply(std::int64_t epoch, std::int64_t index, std::span<const std::uint8_t> image,
                         std::span<std::uint8_t> result) const {
  if (!crop_) {
    std::copy(image.begin(), image.end(), result.begin());
    return;
  }
  RandomSequence random(
      {seed_, Stream::augmentation, 0, static_cast<std::uint32_t>(epoch), static_cast<std::uint32_t>(index)});
  const auto places = static_cast<std::uint32_t>(2 * padding_ + 1);
  const int dy = static_cast<int>(random.below(places)) - padding_;  // window's corner in the unpadded image
  const int dx = static_cast<int>(random.below(places)) - padding_;
  const bool flip = flip_ && random.below(2) == 1;

  const std::ptrdiff_t channels = shape_.channels;
  const std::ptrdiff_t row = shape_.width * channels;
  const int first = std::max(0, dx);                           // columns of the image in the window
  const int count = std::max(0, shape_.width - std::abs(dx));  // how many of them
  const int margin = std::max(0, -dx);                         // black columns of the window before them
  const int place = flip ? shape_.width - margin - count : margin;
  std::fill(result.begin(), result.end(), std::uint8_t{0});
  for (int y = std::max(0, -dy); y < shape_.height - std::max(0, dy); ++y) {
    const std::uint8_t* from = image.data() + (y + dy) * row + first * channels;
    std::uint8_t* to = result.data() + y * row + place * channels;
    if (flip) {
      copy_mirrored(from, count, channels, to);
    } else {
      std::copy_n(from, count * channels, to);
    }
  }
}

}  // namespace adapt
