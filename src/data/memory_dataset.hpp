#pragma once

#include <mutex>

#include "data/dataset.hpp"

namespace adapt {

/// Images as bytes, (N, H, W, C), and their labels, (N).
struct ImageArrays {
  ImageShape shape;
  int classes = 0;  ///< at most 256
  std::vector<std::uint8_t> pixels;
  std::vector<std::uint8_t> labels;
};

/// A dataset held in memory: what every reader and the procedural generator produce.
class MemoryDataset final : public Dataset {
 public:
  /// Throws Failure when the number of pixels does not fit shape and labels.
  explicit MemoryDataset(ImageArrays arrays);

  [[nodiscard]] std::int64_t size() const override {
    return static_cast<std::int64_t>(arrays_.labels.size());
  }
  [[nodiscard]] ImageShape shape() const override { return arrays_.shape; }
  [[nodiscard]] int classes() const override { return arrays_.classes; }
  /// Throws Failure when `index` or the size of `pixels` is wrong.
  int read(std::int64_t index, std::span<std::uint8_t> pixels) const override;
  void forget_before(std::int64_t index) const override;
  /// content_checksum, computed at the first call (about 0.1 s for 50 MB).
  [[nodiscard]] std::string checksum() const override;

 private:
  ImageArrays arrays_;
  mutable std::once_flag checksum_once_;
  mutable std::string checksum_;
};

/// Keeps the first `samples` images; 0 keeps all. Throws BadInput when there are fewer: the message names
/// `option` (data.train_samples, data.test_samples) and says how many there are.
void keep_first(ImageArrays& arrays, std::int64_t samples, const char* option);

/// keep_first on both splits, then the datasets over them.
DataSplits make_splits(ImageArrays train, ImageArrays test, const DataOptions& options,
                       const Normalization& normalization);

/// What make_splits makes of so many images, read from training files of up to `largest_file` images.
DataDescription describe_splits(const ImageShape& shape, int classes, std::int64_t train, std::int64_t test,
                                std::int64_t largest_file, const DataOptions& options);

}  // namespace adapt
