#pragma once

#include <string>

#include "data/dataset.hpp"

namespace adapt {

/// SHA-256 over the text "HEIGHTxWIDTHxCHANNELS CLASSES SIZE\n", then for every image in order its label (4
/// bytes, little-endian) and its pixels. Depends on the content alone, not on the files it came from. Of more
/// than 256 MiB of pixels, which would be read for nothing else, every k-th image counts, with the least k
/// that leaves no more than that.
std::string content_checksum(const Dataset& dataset);

}  // namespace adapt
