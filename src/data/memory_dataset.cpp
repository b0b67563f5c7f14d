#include "data/memory_dataset.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "base/memory.hpp"
#include "data/checksum.hpp"

namespace adapt {
namespace {

/// One block for all; the arrays' memory is not copied.
ImageBlocks blocks_of(ImageArrays arrays) {
  ImageBlocks images = {
      arrays.shape, arrays.classes, false, {}, {arrays.labels.begin(), arrays.labels.end()}};
  const auto pixels = std::make_shared<const std::vector<std::uint8_t>>(std::move(arrays.pixels));
  images.blocks.push_back({.owner = pixels,
                           .bytes = *pixels,
                           .distance = static_cast<std::size_t>(arrays.shape.elements()),
                           .images = static_cast<std::int64_t>(arrays.labels.size())});
  if (static_cast<std::int64_t>(pixels->size()) != images.blocks[0].images * arrays.shape.elements()) {
    throw Failure(concat("dataset of ", arrays.labels.size(), " labels has ", pixels->size(),
                         " pixels, expected ", images.blocks[0].images * arrays.shape.elements()));
  }
  return images;
}

/// From (3, H, W) to (H, W, 3).
void interleave(const std::uint8_t* planes, std::span<std::uint8_t> pixels) {
  constexpr std::size_t kChannels = 3;  // known to the compiler: a third of the time
  const std::size_t plane = pixels.size() / kChannels;
  for (std::size_t i = 0; i < plane; ++i) {
    for (std::size_t channel = 0; channel < kChannels; ++channel) {
      pixels[kChannels * i + channel] = planes[channel * plane + i];
    }
  }
}

/// Nobody needs the images behind the last label: what is no file is made as small as what is left.
void drop_rest(ImageBlocks& images) {
  const auto elements = static_cast<std::size_t>(images.shape.elements());
  auto left = static_cast<std::int64_t>(images.labels.size());
  for (ImageBlock& block : images.blocks) {
    const std::int64_t kept = std::min(left, block.images);
    left -= kept;
    if (kept < block.images && !block.mapped) {
      const std::size_t bytes =
          kept == 0 ? 0 : (static_cast<std::size_t>(kept) - 1) * block.distance + elements;
      const auto part = std::make_shared<const std::vector<std::uint8_t>>(
          block.bytes.begin(), block.bytes.begin() + static_cast<std::ptrdiff_t>(bytes));
      block = {part, *part, block.distance, kept};
    }
  }
}

ImageBlocks take_first(ImageBlocks images, std::int64_t samples, const char* option) {
  const auto available = static_cast<std::int64_t>(images.labels.size());
  images.labels.resize(static_cast<std::size_t>(samples_to_take(available, samples, option)));
  images.labels.shrink_to_fit();
  drop_rest(images);
  return images;
}

}  // namespace

MemoryDataset::MemoryDataset(ImageArrays arrays) : MemoryDataset(blocks_of(std::move(arrays))) {}

MemoryDataset::MemoryDataset(ImageBlocks images) : images_(std::move(images)) {
  const auto elements = static_cast<std::size_t>(images_.shape.elements());
  std::int64_t held = 0;
  for (const ImageBlock& block : images_.blocks) {
    held += block.images;
    if (block.images > 0 && (block.bytes.size() < elements ||
                             (block.bytes.size() - elements) / std::max<std::size_t>(block.distance, 1) + 1 <
                                 static_cast<std::size_t>(block.images))) {
      throw Failure(concat("a block of ", block.bytes.size(), " bytes does not hold ", block.images,
                           " images of ", elements, " bytes at distances of ", block.distance));
    }
  }
  if (held < size()) {
    throw Failure(concat("dataset of ", size(), " labels has ", held, " images"));
  }
}

int MemoryDataset::read(std::int64_t index, std::span<std::uint8_t> pixels) const {
  const auto elements = static_cast<std::size_t>(shape().elements());
  if (index < 0 || index >= size() || pixels.size() != elements) {
    throw Failure(concat("cannot read image ", index, " into ", pixels.size(), " bytes: the dataset has ",
                         size(), " images of ", elements, " bytes"));
  }
  std::int64_t place = index;
  auto block = images_.blocks.begin();
  for (; place >= block->images; ++block) {
    place -= block->images;
  }
  const std::uint8_t* const image = block->bytes.data() + static_cast<std::size_t>(place) * block->distance;
  if (images_.planar) {
    interleave(image, pixels);
  } else {
    std::copy_n(image, elements, pixels.data());
  }
  return images_.labels[static_cast<std::size_t>(index)];
}

void MemoryDataset::forget_before(std::int64_t index) const {
  for (const ImageBlock& block : images_.blocks) {
    const std::int64_t images = std::clamp<std::int64_t>(index, 0, block.images);
    index -= images;
    if (!block.mapped) {
      give_back(std::as_bytes(block.bytes.first(
          std::min(block.bytes.size(), static_cast<std::size_t>(images) * block.distance))));
    }
  }
}

bool MemoryDataset::is_mapped() const { return std::ranges::all_of(images_.blocks, &ImageBlock::mapped); }

std::string MemoryDataset::checksum() const {
  std::call_once(checksum_once_, [this] { checksum_ = content_checksum(*this); });
  return checksum_;
}

std::int64_t samples_to_take(std::int64_t available, std::int64_t samples, const char* option) {
  if (samples < 0 || samples > available) {
    throw BadInput(concat(option, " is ", samples, ", but the split has ", available, " images: expected 1..",
                          available, ", or 0 for all"));
  }
  return samples == 0 ? available : samples;
}

DataSplits make_splits(ImageArrays train, ImageArrays test, const DataOptions& options,
                       const Normalization& normalization) {
  return make_splits(blocks_of(std::move(train)), blocks_of(std::move(test)), options, normalization);
}

DataSplits make_splits(ImageBlocks train, ImageBlocks test, const DataOptions& options,
                       const Normalization& normalization) {
  return {
      std::make_shared<MemoryDataset>(
          take_first(std::move(train), options.train_samples, "data.train_samples")),
      std::make_shared<MemoryDataset>(take_first(std::move(test), options.test_samples, "data.test_samples")),
      normalization};
}

DataDescription describe_splits(const ImageShape& shape, int classes, std::int64_t train, std::int64_t test,
                                const DataOptions& options) {
  const std::int64_t image =
      shape.elements() + static_cast<std::int64_t>(sizeof(std::int32_t));  // and its label
  const auto kept = [](std::int64_t all, std::int64_t asked) {
    return asked > 0 ? std::min(all, asked) : all;
  };
  const std::int64_t images = kept(train, options.train_samples) + kept(test, options.test_samples);
  return {shape, classes, images, images * image, (train + test) * image};
}

}  // namespace adapt
