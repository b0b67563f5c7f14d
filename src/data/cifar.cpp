#include <algorithm>

#include "base/error.hpp"
#include "data/memory_dataset.hpp"
#include "data/registry.hpp"
#include "data/source_file.hpp"

// CIFAR-10 and CIFAR-100 in the official binary versions (https://www.cs.toronto.edu/~kriz/cifar.html):
// records of one label byte (CIFAR-100: coarse label, fine label), then 32x32 bytes of red, green and blue.

namespace adapt {
namespace {

constexpr ImageShape kShape{32, 32, 3};
constexpr std::size_t kPlane = std::size_t{32} * 32;
constexpr std::size_t kPixels = 3 * kPlane;

/// What tells one member of the family from another.
struct Layout {
  const char* folder;
  std::vector<const char*> train_files;
  const char* test_file;
  std::vector<int> label_classes;  ///< classes of each label byte of a record; the last label is used
};

void append_pixels(std::vector<std::uint8_t>& pixels, const std::uint8_t* planes) {
  const std::size_t start = pixels.size();
  pixels.resize(start + kPixels);
  for (std::size_t i = 0; i < kPlane; ++i) {
    for (std::size_t channel = 0; channel < 3; ++channel) {
      pixels[start + 3 * i + channel] = planes[channel * kPlane + i];
    }
  }
}

void append_records(ImageArrays& arrays, const SourceFile& file, const Layout& layout) {
  const std::size_t label_bytes = layout.label_classes.size();
  const std::size_t record = label_bytes + kPixels;
  const std::size_t count = file.bytes.size() / record;
  if (const std::size_t rest = file.bytes.size() % record; rest != 0) {
    file.reject(count * record, concat("records of ", record, " bytes up to the end"),
                concat(rest, " bytes after ", count, " whole records"));
  }
  arrays.labels.reserve(arrays.labels.size() + count);
  arrays.pixels.reserve(arrays.pixels.size() + count * kPixels);
  for (std::size_t offset = 0; offset < file.bytes.size(); offset += record) {
    for (std::size_t i = 0; i < label_bytes; ++i) {
      if (file.bytes[offset + i] >= layout.label_classes[i]) {
        file.reject(offset + i, concat("a label 0..", layout.label_classes[i] - 1),
                    std::to_string(file.bytes[offset + i]));
      }
    }
    arrays.labels.push_back(file.bytes[offset + label_bytes - 1]);
    append_pixels(arrays.pixels, file.bytes.data() + offset + label_bytes);
  }
}

DataSplits open_cifar(const DataOptions& options, const Layout& layout, const Normalization& normalization) {
  const std::filesystem::path folder = find_dataset_folder(options, layout.folder);
  ImageArrays train{kShape, layout.label_classes.back(), {}, {}};
  ImageArrays test = train;
  for (const char* name : layout.train_files) {
    append_records(train, read_source(folder / name), layout);
  }
  append_records(test, read_source(folder / layout.test_file), layout);
  return make_splits(std::move(train), std::move(test), options, normalization);
}

}  // namespace

DataSplits open_cifar10(const DataOptions& options, std::uint64_t /*seed*/) {
  return open_cifar(
      options,
      {"cifar-10-batches-bin",
       {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
       "test_batch.bin",
       {10}},
      {{0.4914F, 0.4822F, 0.4465F}, {0.2470F, 0.2435F, 0.2616F}});
}

DataSplits open_cifar100(const DataOptions& options, std::uint64_t /*seed*/) {
  return open_cifar(options, {"cifar-100-binary", {"train.bin"}, "test.bin", {20, 100}},
                    {{0.5071F, 0.4865F, 0.4409F}, {0.2673F, 0.2564F, 0.2762F}});
}

}  // namespace adapt
