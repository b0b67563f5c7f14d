// The bytes are a PNG file.

#include <vector>

#include "data/png.hpp"
#include "harness.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adapt;
  const SourceFile file = {"x.png", false, {data, size}, {}};
  fuzz::read_or_refuse([&] {
    const ImageShape shape = png_shape(file);
    fuzz::require(shape.height >= 1 && shape.width >= 1 && (shape.channels == 1 || shape.channels == 3));
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(shape.elements()));
    read_png(file, pixels);
  });
  return 0;
}
