#pragma once

#include <cstdint>
#include <span>

#include "data/dataset.hpp"
#include "data/source_file.hpp"

namespace adapt {

/// Size of a PNG image of 8 bits a channel or fewer: 1 channel, or 3 of colours, also where they are of a
/// palette. Throws BadInput (path, offset, libpng's words) for what is damaged or no such image: one that is
/// transparent, has 16 bits a channel, or sides beyond 4096.
ImageShape png_shape(const SourceFile& file);

/// Its pixels, (H, W, C), into as many bytes. Throws BadInput as above, and for bytes behind the image's end.
void read_png(const SourceFile& file, std::span<std::uint8_t> pixels);

}  // namespace adapt
