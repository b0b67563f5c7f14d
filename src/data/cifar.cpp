#include "data/cifar.hpp"

#include <utility>

#include "base/error.hpp"
#include "base/phase.hpp"
#include "data/memory_dataset.hpp"
#include "data/registry.hpp"
#include "data/source_file.hpp"

// A file is a row of records: one label byte (CIFAR-100: coarse label, fine label), then 32x32 bytes of red,
// green and blue.

namespace adapt {
namespace {

constexpr ImageShape kShape{32, 32, 3};
constexpr std::size_t kPixels = std::size_t{3} * 32 * 32;

/// Appends the images of `file`, which must hold `count` records.
void append_records(ImageBlocks& images, const SourceFile& file, std::size_t count,
                    const std::vector<int>& label_classes) {
  const std::size_t label_bytes = label_classes.size();
  const std::size_t record = label_bytes + kPixels;
  file.check_size(count * record, concat(count, " records of ", record, " bytes"));
  for (std::size_t offset = 0; offset < file.bytes.size(); offset += record) {
    for (std::size_t i = 0; i < label_bytes; ++i) {
      if (file.bytes[offset + i] >= label_classes[i]) {
        file.reject(offset + i, concat("a label 0..", label_classes[i] - 1),
                    std::to_string(file.bytes[offset + i]));
      }
    }
    images.labels.push_back(file.bytes[offset + label_bytes - 1]);
    phase::go_on();  // a page of the file was read
  }
  images.blocks.push_back({.owner = file.owner,
                           .bytes = file.bytes.subspan(label_bytes),
                           .distance = record,
                           .images = static_cast<std::int64_t>(count),
                           .mapped = true});
}

}  // namespace

CifarLayout cifar10_layout() {
  return {
      .folder = "cifar-10-batches-bin",
      .train_files = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
                      "data_batch_5.bin"},
      .test_file = "test_batch.bin",
      .train_records = 10000,
      .test_records = 10000,
      .label_classes = {10},
      .normalization = {{0.4914F, 0.4822F, 0.4465F}, {0.2470F, 0.2435F, 0.2616F}},
  };
}

CifarLayout cifar100_layout() {
  return {
      .folder = "cifar-100-binary",
      .train_files = {"train.bin"},
      .test_file = "test.bin",
      .train_records = 50000,
      .test_records = 10000,
      .label_classes = {20, 100},
      .normalization = {{0.5071F, 0.4865F, 0.4409F}, {0.2673F, 0.2564F, 0.2762F}},
  };
}

DataSplits open_cifar(const DataOptions& options, const CifarLayout& layout) {
  const std::filesystem::path folder = find_dataset_folder(options, layout.folder);
  ImageBlocks train = {.shape = kShape, .classes = layout.label_classes.back(), .planar = true};
  ImageBlocks test = train;
  for (const std::string& name : layout.train_files) {
    append_records(train, read_source(folder / name), layout.train_records, layout.label_classes);
  }
  append_records(test, read_source(folder / layout.test_file), layout.test_records, layout.label_classes);
  return make_splits(std::move(train), std::move(test), options, layout.normalization);
}

DataDescription describe_cifar(const DataOptions& options, const CifarLayout& layout) {
  return describe_splits(kShape, layout.label_classes.back(),
                         static_cast<std::int64_t>(layout.train_records * layout.train_files.size()),
                         static_cast<std::int64_t>(layout.test_records), options);
}

DataSplits open_cifar10(const DataOptions& options, std::uint64_t /*seed*/) {
  return open_cifar(options, cifar10_layout());
}

DataSplits open_cifar100(const DataOptions& options, std::uint64_t /*seed*/) {
  return open_cifar(options, cifar100_layout());
}

DataDescription describe_cifar10(const DataOptions& options) {
  return describe_cifar(options, cifar10_layout());
}

DataDescription describe_cifar100(const DataOptions& options) {
  return describe_cifar(options, cifar100_layout());
}

}  // namespace adapt
