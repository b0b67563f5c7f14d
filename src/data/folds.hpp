#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "data/dataset.hpp"
#include "data/options.hpp"

namespace adapt {

/// Some images of another dataset, in a given order.
class DatasetView : public Dataset {
 public:
  /// `indices` into `source`. Throws Failure for one that is out of range.
  DatasetView(std::shared_ptr<const Dataset> source, std::vector<std::int64_t> indices);

  [[nodiscard]] std::int64_t size() const override { return static_cast<std::int64_t>(indices_.size()); }
  [[nodiscard]] ImageShape shape() const override { return source_->shape(); }
  [[nodiscard]] int classes() const override { return source_->classes(); }
  /// Throws Failure when `index` or the size of `pixels` is wrong.
  int read(std::int64_t index, std::span<std::uint8_t> pixels) const override;
  [[nodiscard]] bool is_mapped() const override { return source_->is_mapped(); }
  /// content_checksum of the view's images, computed at the first call.
  [[nodiscard]] std::string checksum() const override;

 private:
  std::shared_ptr<const Dataset> source_;
  std::vector<std::int64_t> indices_;
  mutable std::once_flag checksum_once_;
  mutable std::string checksum_;
};

/// Deals images with these `labels` (from 0) into `folds` folds at random, a pure function of the arguments:
/// the fold of each image. Every class is spread as evenly as it goes (two folds differ by at most one image
/// of a class), and so is the whole.
std::vector<int> deal_folds(const std::vector<int>& labels, int folds, std::uint64_t seed);

/// For `options.folds` 0 the splits as they are; else the training set cut into folds: fold `options.fold` is
/// the test set, the others the training set, both in their old order. Throws BadInput when there are more
/// folds than images.
DataSplits cross_validation(DataSplits splits, const DataOptions& options, std::uint64_t seed);

}  // namespace adapt
