#include <iomanip>
#include <utility>

#include "base/error.hpp"
#include "data/memory_dataset.hpp"
#include "data/registry.hpp"
#include "data/source_file.hpp"

// The MNIST family in the IDX format (http://yann.lecun.com/exdb/mnist): big-endian header words (a magic
// number, then the size of each dimension), then unsigned bytes.

namespace adapt {
namespace {

constexpr ImageShape kShape{28, 28, 1};
constexpr int kClasses = 10;
constexpr std::size_t kWord = 4;
constexpr std::size_t kImageHeader = 4 * kWord;  // magic, images, rows, columns
constexpr std::uint32_t kMostItems = 1000000;    // sets of this family have 60,000
constexpr std::size_t kLabelHeader = 2 * kWord;  // magic, labels

std::string hexadecimal(std::uint32_t value, int digits) {
  std::ostringstream out;
  out << "0x" << std::hex << std::setw(digits) << std::setfill('0') << value;
  return out.str();
}

/// The big-endian word at `offset`.
std::uint32_t word_at(const SourceFile& file, std::size_t offset) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < kWord; ++i) {
    value = value << 8U | file.bytes[offset + i];
  }
  return value;
}

void check_magic(const SourceFile& file, std::uint32_t magic) {
  for (std::size_t i = 0; i < kWord; ++i) {
    const auto expected = static_cast<std::uint8_t>(magic >> (8 * (kWord - 1 - i)));
    if (file.bytes[i] != expected) {
      file.reject(i, concat(hexadecimal(expected, 2), " of the magic number ", hexadecimal(magic, 8)),
                  hexadecimal(file.bytes[i], 2));
    }
  }
}

void check_word(const SourceFile& file, std::size_t offset, std::uint32_t expected, const std::string& what) {
  const std::uint32_t found = word_at(file, offset);
  if (found != expected) {
    file.reject(offset, concat(expected, " ", what), std::to_string(found));
  }
}

/// Checks magic number and header length; returns the count in the header.
std::uint32_t read_header(const SourceFile& file, std::size_t header, std::uint32_t magic) {
  if (file.bytes.size() < header) {
    file.check_size(header, "the header");
  }
  check_magic(file, magic);
  const std::uint32_t count = word_at(file, kWord);
  if (count == 0) {
    file.reject(kWord, "at least 1 item", "0");
  }
  if (count > kMostItems) {
    file.reject(kWord, concat("at most ", kMostItems, " items"), std::to_string(count));
  }
  return count;
}

ImageBlocks read_split(const std::filesystem::path& folder, const std::string& prefix) {
  constexpr std::uint32_t kImageMagic = 0x00000803;  // unsigned bytes, 3 dimensions
  constexpr std::uint32_t kLabelMagic = 0x00000801;  // unsigned bytes, 1 dimension
  std::uint32_t count = 0;
  const auto size_of_images = [&](const SourceFile& file) -> ExpectedSize {
    count = read_header(file, kImageHeader, kImageMagic);
    check_word(file, 2 * kWord, kShape.height, "rows");
    check_word(file, 3 * kWord, kShape.width, "columns");
    const auto elements = static_cast<std::size_t>(kShape.elements());
    return {kImageHeader + count * elements, concat(count, " images of 28x28")};
  };
  const SourceFile images =
      read_source_or_gzip(folder / (prefix + "-images-idx3-ubyte"), kImageHeader, size_of_images);
  const auto size_of_labels = [&](const SourceFile& file) -> ExpectedSize {
    read_header(file, kLabelHeader, kLabelMagic);
    check_word(file, kWord, count, concat("labels, one for each image of ", images.path.filename().string()));
    return {kLabelHeader + count, concat(count, " labels")};
  };
  const SourceFile labels =
      read_source_or_gzip(folder / (prefix + "-labels-idx1-ubyte"), kLabelHeader, size_of_labels);
  for (std::size_t offset = kLabelHeader; offset < labels.bytes.size(); ++offset) {
    if (labels.bytes[offset] >= kClasses) {
      labels.reject(offset, "a label 0..9", std::to_string(labels.bytes[offset]));
    }
  }
  const std::span<const std::uint8_t> labelled = labels.bytes.subspan(kLabelHeader);
  return {.shape = kShape,
          .classes = kClasses,
          .blocks = {{.owner = images.owner,
                      .bytes = images.bytes.subspan(kImageHeader),
                      .distance = static_cast<std::size_t>(kShape.elements()),
                      .images = count,
                      .mapped = !images.compressed}},
          .labels = {labelled.begin(), labelled.end()}};
}

DataSplits open_family(const DataOptions& options, const char* folder_name,
                       const Normalization& normalization) {
  const std::filesystem::path folder = find_dataset_folder(options, folder_name);
  return make_splits(read_split(folder, "train"), read_split(folder, "t10k"), options, normalization);
}

DataDescription describe_family(const DataOptions& options) {
  constexpr std::int64_t kTrain = 60000;
  constexpr std::int64_t kTest = 10000;
  return describe_splits(kShape, kClasses, kTrain, kTest, options);
}

}  // namespace

DataSplits open_mnist(const DataOptions& options, std::uint64_t /*seed*/) {
  return open_family(options, "mnist", {{0.1307F}, {0.3081F}});
}

DataSplits open_fashion_mnist(const DataOptions& options, std::uint64_t /*seed*/) {
  return open_family(options, "fashion-mnist", {{0.2860F}, {0.3530F}});
}

DataSplits open_kmnist(const DataOptions& options, std::uint64_t /*seed*/) {
  return open_family(options, "kmnist", {{0.1918F}, {0.3483F}});
}

DataDescription describe_mnist(const DataOptions& options) { return describe_family(options); }

DataDescription describe_fashion_mnist(const DataOptions& options) { return describe_family(options); }

DataDescription describe_kmnist(const DataOptions& options) { return describe_family(options); }

}  // namespace adapt
