#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/names.hpp"

namespace adapt {

/// Side of the smallest images among the datasets: more padding would leave crops without a pixel of the
/// image.
inline constexpr int kMostCropPadding = 28;

/// Most images of a split of the procedural dataset: 8 GB.
inline constexpr std::int64_t kMostProceduralImages = 10'000'000;

/// Random changes of training images. `none`: as it is. `crop`: a window of the image's own size at a random
/// place of the image padded with zero bytes (black, before normalization). `crop_flip`: the crop, then
/// mirrored left to right with probability 1/2 (He et al. 2016).
enum class AugmentationKind { none, crop, crop_flip };
template <>
inline constexpr auto kNames<AugmentationKind> =
    std::array{Named{"none", AugmentationKind::none}, Named{"crop", AugmentationKind::crop},
               Named{"crop_flip", AugmentationKind::crop_flip}};

/// `data`: what is trained on.
struct DataOptions {
  std::string name = "procedural";  ///< see data/registry.hpp
  std::string path;                ///< folder that holds the dataset's folder; empty: $ADAPT_DATA, else data/
  std::int64_t train_samples = 0;  ///< use only the first so many; 0: all (procedural: 60000)
  std::int64_t test_samples = 0;   ///< use only the first so many; 0: all (procedural: 10000)
  AugmentationKind augmentation = AugmentationKind::none;
  int crop_padding = 4;  ///< pixels of zero padding on each side before the random crop
  int folds = 0;         ///< cross validation on the training set in so many stratified folds; 0: none
  int fold = 0;          ///< 0..folds-1: tested on, while the others are trained on
};

}  // namespace adapt
