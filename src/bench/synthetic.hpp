#pragma once

#include <cstdint>
#include <string>

#include "data/dataset.hpp"

namespace adapt {

/// `images` random images with random labels in the shape that `model` is usually trained on (nn/models.hpp),
/// in both splits, held in memory: timing does not depend on what a picture shows.
DataSplits synthetic_images(const std::string& model, std::int64_t images);

}  // namespace adapt
