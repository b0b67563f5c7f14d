#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/aligned.hpp"
#include "data/dataset.hpp"
#include "data/options.hpp"

namespace adapt {

/// Images of one shard of one step, ready for the network.
struct ShardBatch {
  std::int64_t step = 0;             ///< within the epoch, from 0
  int shard = 0;                     ///< virtual shard, 0..shards-1
  AlignedVector<float> images;       ///< (N, H, W, C), normalized
  std::vector<std::int32_t> labels;  ///< (N)
};

/// How an epoch is cut. The global batch of a step is `batch` images; shard s of V takes the s-th part of
/// batch / V images; rank r of R takes the shards r, r + R, ... The remainder of an epoch that fills no batch
/// is left out.
struct LoaderOptions {
  std::uint64_t seed = 0;
  int batch = 256;  ///< images per step over all shards; a multiple of `shards`
  int shards = 8;
  int rank = 0;
  int ranks = 1;
  AugmentationKind augmentation = AugmentationKind::none;
  int crop_padding = 4;
};

/// Steps in an epoch of `samples` images. Throws BadInput when `batch` is not in 1..samples.
std::int64_t steps_per_epoch(std::int64_t samples, int batch);

/// The order of an epoch: a permutation of 0..samples-1, a pure function of (seed, epoch).
std::vector<std::int64_t> epoch_order(std::int64_t samples, std::uint64_t seed, std::int64_t epoch);

/// Produces this rank's shards of an epoch, step after step and within a step by ascending shard, prepared
/// ahead by one thread. Augmentation is keyed by (seed, epoch, index of the image in the dataset).
class TrainLoader {
 public:
  /// Shards that are there at a time: one in use, the others ahead.
  static constexpr std::int64_t kSlots = 4;

  /// Throws BadInput: a batch that is no multiple of the shards or larger than the dataset, more ranks than
  /// shards, a bad augmentation.
  TrainLoader(std::shared_ptr<const Dataset> dataset, const Normalization& normalization,
              const LoaderOptions& options);
  ~TrainLoader();

  /// Starts an epoch (from 0) at step `first_step` (0..steps); whatever was prepared for another one is
  /// dropped, and references that next() returned end. Throws BadInput for an epoch or step out of range.
  void start_epoch(std::int64_t epoch, std::int64_t first_step = 0);
  /// The next shard. The reference is valid until the next call. Errors of the thread are rethrown here, in
  /// the place of the shard they spoiled. Throws Failure after the epoch's last shard.
  const ShardBatch& next();
  /// Steps in an epoch.
  [[nodiscard]] std::int64_t steps() const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

/// Reads images first..first+count-1 in order, normalized, without augmentation, into `images` (count, H, W,
/// C) and `labels` (count). Throws Failure when the sizes do not fit or the range leaves the dataset.
void read_images(const Dataset& dataset, const Normalization& normalization, std::int64_t first,
                 std::span<float> images, std::span<std::int32_t> labels);

}  // namespace adapt
