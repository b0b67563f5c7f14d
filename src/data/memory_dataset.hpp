#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.hpp"

namespace adapt {

/// Images as bytes, (N, H, W, C), and their labels, (N).
struct ImageArrays {
  ImageShape shape;
  int classes = 0;  ///< at most 256
  std::vector<std::uint8_t> pixels;
  std::vector<std::uint8_t> labels;
};

/// Images at equal distances in memory: in a file's pages, in a window that ranks share, in an array.
struct ImageBlock {
  std::shared_ptr<const void> owner = {};    ///< keeps the memory; null: it stays anyway
  std::span<const std::uint8_t> bytes = {};  ///< from the first image on
  std::size_t distance = 0;                  ///< from an image's first byte to that of the next one
  std::int64_t images = 0;
  bool mapped = false;  ///< a file's pages
};

/// One block behind the other.
struct ImageBlocks {
  ImageShape shape;
  int classes = 0;
  bool planar = false;  ///< an image is (3, H, W)
  std::vector<ImageBlock> blocks = {};
  std::vector<std::int32_t> labels = {};  ///< of the first so many images; the others are left out
};

/// A dataset held in memory: what every reader and the procedural generator produce.
class MemoryDataset final : public Dataset {
 public:
  /// Both throw Failure when the number of pixels does not fit shape and labels.
  explicit MemoryDataset(ImageArrays arrays);
  explicit MemoryDataset(ImageBlocks images);

  [[nodiscard]] std::int64_t size() const override {
    return static_cast<std::int64_t>(images_.labels.size());
  }
  [[nodiscard]] ImageShape shape() const override { return images_.shape; }
  [[nodiscard]] int classes() const override { return images_.classes; }
  /// Throws Failure when `index` or the size of `pixels` is wrong.
  int read(std::int64_t index, std::span<std::uint8_t> pixels) const override;
  void forget_before(std::int64_t index) const override;
  [[nodiscard]] bool is_mapped() const override;
  /// content_checksum, computed at the first call (about 0.1 s for 50 MB).
  [[nodiscard]] std::string checksum() const override;

 private:
  ImageBlocks images_;
  mutable std::once_flag checksum_once_;
  mutable std::string checksum_;
};

/// How many of `available` images to take: the first `samples`, 0: all. Throws BadInput when there are fewer:
/// the message names `option` (data.train_samples, data.test_samples) and says how many there are.
std::int64_t samples_to_take(std::int64_t available, std::int64_t samples, const char* option);

/// The first images of both splits, as options.train_samples and test_samples have it, as datasets.
DataSplits make_splits(ImageArrays train, ImageArrays test, const DataOptions& options,
                       const Normalization& normalization);
DataSplits make_splits(ImageBlocks train, ImageBlocks test, const DataOptions& options,
                       const Normalization& normalization);

/// What make_splits makes of so many images.
DataDescription describe_splits(const ImageShape& shape, int classes, std::int64_t train, std::int64_t test,
                                const DataOptions& options);

}  // namespace adapt
