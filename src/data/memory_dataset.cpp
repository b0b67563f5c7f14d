#include "data/memory_dataset.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "base/memory.hpp"
#include "data/checksum.hpp"

namespace adapt {

MemoryDataset::MemoryDataset(ImageArrays arrays) : arrays_(std::move(arrays)) {
  if (static_cast<std::int64_t>(arrays_.pixels.size()) != size() * arrays_.shape.elements()) {
    throw Failure(concat("dataset of ", size(), " labels has ", arrays_.pixels.size(), " pixels, expected ",
                         size() * arrays_.shape.elements()));
  }
}

int MemoryDataset::read(std::int64_t index, std::span<std::uint8_t> pixels) const {
  const auto elements = static_cast<std::size_t>(arrays_.shape.elements());
  if (index < 0 || index >= size() || pixels.size() != elements) {
    throw Failure(concat("cannot read image ", index, " into ", pixels.size(), " bytes: the dataset has ",
                         size(), " images of ", elements, " bytes"));
  }
  const auto position = static_cast<std::size_t>(index);
  std::copy_n(arrays_.pixels.data() + position * elements, elements, pixels.data());
  return arrays_.labels[position];
}

void MemoryDataset::forget_before(std::int64_t index) const {
  give_back(std::as_bytes(
      std::span(arrays_.pixels).first(static_cast<std::size_t>(index * arrays_.shape.elements()))));
}

std::string MemoryDataset::checksum() const {
  std::call_once(checksum_once_, [this] { checksum_ = content_checksum(*this); });
  return checksum_;
}

void keep_first(ImageArrays& arrays, std::int64_t samples, const char* option) {
  const auto available = static_cast<std::int64_t>(arrays.labels.size());
  if (samples < 0 || samples > available) {
    throw BadInput(concat(option, " is ", samples, ", but the split has ", available, " images: expected 1..",
                          available, ", or 0 for all"));
  }
  if (samples == 0 || samples == available) {
    return;
  }
  arrays.labels.resize(static_cast<std::size_t>(samples));
  arrays.labels.shrink_to_fit();
  arrays.pixels.resize(static_cast<std::size_t>(samples * arrays.shape.elements()));
  arrays.pixels.shrink_to_fit();
}

DataSplits make_splits(ImageArrays train, ImageArrays test, const DataOptions& options,
                       const Normalization& normalization) {
  keep_first(train, options.train_samples, "data.train_samples");
  keep_first(test, options.test_samples, "data.test_samples");
  return {std::make_shared<MemoryDataset>(std::move(train)), std::make_shared<MemoryDataset>(std::move(test)),
          normalization};
}

DataDescription describe_splits(const ImageShape& shape, int classes, std::int64_t train, std::int64_t test,
                                std::int64_t largest_file, const DataOptions& options) {
  const std::int64_t image = shape.elements() + 1;  // and its label
  const auto kept = [](std::int64_t all, std::int64_t asked) {
    return asked > 0 ? std::min(all, asked) : all;
  };
  constexpr std::int64_t kCopies = 2;  // of a file's bytes while it is read
  // Either the last training file's images stand there twice, or the test file is read beside all of them.
  const std::int64_t opening = train + std::max(largest_file, kCopies * test);
  return {shape, classes, (kept(train, options.train_samples) + kept(test, options.test_samples)) * image,
          opening * image};
}

}  // namespace adapt
