#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/dataset.hpp"

namespace adapt {

/// Random changes of training images.
class Augmentation {
 public:
  /// Throws BadInput: negative padding or more than the image's height or width.
  Augmentation(AugmentationKind kind, int padding, const ImageShape& shape, std::uint64_t seed);

  /// Writes image `index` of the dataset, as epoch `epoch` shows it, from `image` to `result` (both
  /// shape.elements() bytes, apart from each other). A pure function of (seed, epoch, index) and the image.
  void apply(std::int64_t epoch, std::int64_t index, std::span<const std::uint8_t> image,
             std::span<std::uint8_t> result) const;

 private:
  bool crop_;
  bool flip_;
  int padding_;
  ImageShape shape_;
  std::uint64_t seed_;
};

}  // namespace adapt
