#pragma once

#include <string>

#include "data/dataset.hpp"

namespace adapt {

/// SHA-256 over the text "HEIGHTxWIDTHxCHANNELS CLASSES SIZE\n", then for every image in order its label (4
/// bytes, little-endian) and its pixels. Depends on the content alone, not on the files it came from.
std::string content_checksum(const Dataset& dataset);

}  // namespace adapt
