#include <algorithm>
#include <array>
#include <system_error>
#include <utility>

#include "base/error.hpp"
#include "data/memory_dataset.hpp"
#include "data/normalize.hpp"
#include "data/registry.hpp"
#include "data/stored_array.hpp"

// Images of anybody's own: data.path is an HDF5 file, or a folder of NumPy files, with four arrays.

namespace adapt {
namespace {

constexpr std::int64_t kMostSide = 4096;
constexpr std::int64_t kMostChannels = 3;  // that Normalization has
constexpr std::int64_t kMostClasses = 65536;

/// Images and labels of one split.
struct StoredSplit {
  StoredArray images;
  StoredArray labels;
};

std::string type_text(const StoredArray& array) {
  std::string shape;
  for (const std::int64_t dim : array.dims) {
    shape += concat(shape.empty() ? "" : ", ", dim);
  }
  const char* kind = array.type.kind == 'u'   ? "uint"
                     : array.type.kind == 'i' ? "int"
                     : array.type.kind == 'f' ? "float"
                                              : "a type of ";
  return concat(kind, 8 * array.type.bytes, " (", shape, ")");
}

ImageShape shape_of(const StoredArray& images) {
  const std::vector<std::int64_t>& dims = images.dims;
  const auto within = [&](std::size_t dim, std::int64_t most) { return dims[dim] >= 1 && dims[dim] <= most; };
  if (images.type.kind != 'u' || images.type.bytes != 1 || dims.size() != 4 || dims[0] < 1 ||
      !within(1, kMostSide) || !within(2, kMostSide) || !within(3, kMostChannels)) {
    images.reject(concat("uint8 images (N, height, width, channels) with sides of 1..", kMostSide, " and 1..",
                         kMostChannels, " channels"),
                  type_text(images));
  }
  return {static_cast<int>(dims[1]), static_cast<int>(dims[2]), static_cast<int>(dims[3])};
}

/// Labels 0..classes-1.
std::vector<std::int32_t> labels_of(const StoredSplit& split, std::int64_t classes) {
  const StoredArray& labels = split.labels;
  const bool is_integer = labels.type.kind == 'u' || labels.type.kind == 'i';
  if (!is_integer || labels.type.bytes < 1 || labels.type.bytes > 8 || labels.dims.size() != 1 ||
      labels.dims[0] != split.images.dims[0]) {
    labels.reject(concat("integers (", split.images.dims[0], "), a label for each image"), type_text(labels));
  }
  std::vector<std::int32_t> values(static_cast<std::size_t>(labels.dims[0]));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::int64_t value = labels.integer(i);
    if (value < 0 || value >= classes) {
      labels.file.reject(labels.start + i * static_cast<std::size_t>(labels.type.bytes),
                         concat("a label 0..", classes - 1), std::to_string(value));
    }
    values[i] = static_cast<std::int32_t>(value);
  }
  return values;
}

/// Both splits, training first.
std::array<StoredSplit, 2> find_splits(const DataOptions& options) {
  const std::array<std::string, 4> names = {"train_images", "train_labels", "test_images", "test_labels"};
  const std::filesystem::path path = data_folder(options.path).path;
  if (options.path.empty()) {
    throw BadInput(concat("data.path is empty: expected an HDF5 file with the arrays ", names[0], ", ",
                          names[1], ", ", names[2], " and ", names[3], ", or a folder with a file ", names[0],
                          ".npy and so on"));
  }
  std::error_code ignored;
  std::vector<StoredArray> found;
  if (std::filesystem::is_directory(path, ignored)) {
    for (const std::string& name : names) {
      found.push_back(find_npy(path / (name + ".npy")));
    }
  } else {
    found = find_in_hdf5(path, names);
  }
  return {StoredSplit{found[0], found[1]}, StoredSplit{found[2], found[3]}};
}

ImageBlocks blocks_of(const StoredSplit& split, std::vector<std::int32_t> labels) {
  const ImageShape shape = shape_of(split.images);
  return {.shape = shape,
          .blocks = {{.owner = split.images.file.owner,
                      .bytes = split.images.elements(),
                      .distance = static_cast<std::size_t>(shape.elements()),
                      .images = split.images.dims[0],
                      .mapped = true}},
          .labels = std::move(labels)};
}

/// Both splits, training first; no image is read.
std::array<ImageBlocks, 2> open_splits(const DataOptions& options) {
  const auto [train, test] = find_splits(options);
  if (const ImageShape shape = shape_of(train.images); shape != shape_of(test.images)) {
    test.images.reject(concat("images of ", shape.height, "x", shape.width, "x", shape.channels,
                              ", as the training set has"),
                       type_text(test.images));
  }
  std::vector<std::int32_t> labels = labels_of(train, kMostClasses);
  const int classes = *std::ranges::max_element(labels) + 1;
  if (classes < 2) {
    train.labels.reject("labels of two classes or more, from 0 on", "no label but 0");
  }
  std::array<ImageBlocks, 2> splits = {blocks_of(train, std::move(labels)),
                                       blocks_of(test, labels_of(test, classes))};
  splits[0].classes = classes;
  splits[1].classes = classes;
  return splits;
}

}  // namespace

DataSplits open_arrays(const DataOptions& options, std::uint64_t /*seed*/) {
  auto [train, test] = open_splits(options);
  DataSplits splits = make_splits(std::move(train), std::move(test), options, {});
  splits.normalization = measured_normalization(*splits.train);
  return splits;
}

DataDescription describe_arrays(const DataOptions& options) {
  const auto [train, test] = open_splits(options);
  const auto size = [](const ImageBlocks& images) { return static_cast<std::int64_t>(images.labels.size()); };
  DataDescription description = describe_splits(train.shape, train.classes, size(train), size(test), options);
  // The images' pages are the kernel's, which drops them where memory is short.
  description.bytes = description.images * static_cast<std::int64_t>(sizeof(std::int32_t));
  description.opening_bytes = description.bytes;
  return description;
}

}  // namespace adapt
