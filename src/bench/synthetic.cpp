#include "bench/synthetic.hpp"

#include <utility>

#include "data/memory_dataset.hpp"
#include "nn/models.hpp"
#include "numerics/random.hpp"

namespace adapt {

DataSplits synthetic_images(const std::string& model, std::int64_t images) {
  constexpr std::uint32_t kClasses = 10;
  const Shape shape = usual_image(model);
  RandomSequence random({.seed = 1, .stream = Stream::procedural});
  ImageArrays arrays = {{shape.h, shape.w, shape.c}, kClasses, {}, {}};
  arrays.pixels.resize(static_cast<std::size_t>(images * shape.elements()));
  for (std::uint8_t& pixel : arrays.pixels) {
    pixel = static_cast<std::uint8_t>(random.bits() >> 24);
  }
  for (std::int64_t i = 0; i < images; ++i) {
    arrays.labels.push_back(static_cast<std::uint8_t>(random.below(kClasses)));
  }
  const auto dataset = std::make_shared<MemoryDataset>(std::move(arrays));
  // Bytes uniform in 0..255 have mean 0.5 and deviation 0.29.
  return {dataset, dataset, {.mean = {0.5F, 0.5F, 0.5F}, .deviation = {0.29F, 0.29F, 0.29F}}};
}

}  // namespace adapt
