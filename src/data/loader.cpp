#include "data/loader.hpp"

#include <array>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "base/error.hpp"
#include "data/augment.hpp"
#include "data/normalize.hpp"

namespace adapt {
namespace {

void check(const LoaderOptions& options) {
  if (options.shards < 1 || options.batch < 1 || options.batch % options.shards != 0) {
    throw BadInput(concat("training.batch is ", options.batch, ", training.shards ", options.shards,
                          ": expected a batch that is a multiple of the shards"));
  }
  if (options.rank < 0 || options.rank >= options.ranks || options.ranks > options.shards) {
    throw BadInput(concat("rank ", options.rank, " of ", options.ranks, " ranks with training.shards ",
                          options.shards, ": expected at most one rank per shard"));
  }
}

}  // namespace

/// The prepared shards of an epoch are numbered 0, 1, ...; number n lies in slot n % kSlots. Numbers below
/// `produced` are ready, number `consumed` - 1 is in the consumer's hands, lower ones are free.
struct TrainLoader::Implementation {
  Implementation(std::shared_ptr<const Dataset> source, const Normalization& normalization,
                 const LoaderOptions& loader_options);
  ~Implementation();

  void start_epoch(std::int64_t next_epoch, std::int64_t first_step);
  const ShardBatch& next();

  /// The thread: prepares shard after shard until told to stop.
  void run();
  /// Prepares number `item` of the epoch that starts at `start_step`.
  void prepare(std::int64_t for_epoch, std::int64_t start_step, std::int64_t item, ShardBatch& result);

  const std::shared_ptr<const Dataset> dataset;
  const LoaderOptions options;
  const std::int64_t steps;
  const std::int64_t shards_per_step;  // of this rank
  const std::size_t shard_images;
  const NormalizationTable table;
  const Augmentation augmentation;

  std::array<ShardBatch, kSlots> slots;

  // Touched by the thread only.
  std::vector<std::int64_t> order;
  std::int64_t order_epoch = -1;
  std::vector<std::uint8_t> pixels;
  std::vector<std::uint8_t> augmented;

  // Shared, under the mutex.
  std::mutex mutex;
  std::condition_variable work;   // for the thread: something to prepare, or stop
  std::condition_variable ready;  // for the consumer: something prepared, or an error
  std::int64_t epoch = -1;
  std::int64_t start = 0;       // first step
  std::int64_t total = 0;       // shards from there to the end of the epoch
  std::int64_t generation = 0;  // counts start_epoch, so that a shard of an abandoned epoch is noticed
  std::int64_t produced = 0;
  std::int64_t consumed = 0;
  std::exception_ptr error;  // met while preparing number `produced`
  bool stop = false;

  std::thread thread;  // last: runs as long as all the rest lives
};

TrainLoader::Implementation::Implementation(std::shared_ptr<const Dataset> source,
                                            const Normalization& normalization,
                                            const LoaderOptions& loader_options)
    : dataset(std::move(source)),
      options((check(loader_options), loader_options)),
      steps(steps_per_epoch(dataset->size(), options.batch)),
      shards_per_step((options.shards - options.rank + options.ranks - 1) / options.ranks),
      shard_images(static_cast<std::size_t>(options.batch / options.shards)),
      table(normalization, dataset->shape().channels),
      augmentation(options.augmentation, options.crop_padding, dataset->shape(), options.seed) {
  const auto elements = static_cast<std::size_t>(dataset->shape().elements());
  for (ShardBatch& slot : slots) {
    slot.images.resize(shard_images * elements);
    slot.labels.resize(shard_images);
  }
  pixels.resize(elements);
  augmented.resize(elements);
  thread = std::thread([this] { run(); });
}

TrainLoader::Implementation::~Implementation() {
  {
    const std::lock_guard lock(mutex);
    stop = true;
  }
  work.notify_one();
  thread.join();
}

void TrainLoader::Implementation::start_epoch(std::int64_t next_epoch, std::int64_t first_step) {
  if (next_epoch < 0 || first_step < 0 || first_step > steps) {
    throw BadInput(concat("cannot start epoch ", next_epoch, " at step ", first_step,
                          ": expected an epoch from 0 and a step 0..", steps));
  }
  {
    const std::lock_guard lock(mutex);
    epoch = next_epoch;
    start = first_step;
    total = (steps - first_step) * shards_per_step;
    ++generation;
    produced = 0;
    consumed = 0;
    error = nullptr;
  }
  work.notify_one();
}

const ShardBatch& TrainLoader::Implementation::next() {
  std::unique_lock lock(mutex);
  if (consumed == total) {
    throw Failure(concat("no shard left in epoch ", epoch, " of ", steps, " steps: start_epoch first"));
  }
  ready.wait(lock, [this] { return consumed < produced || error != nullptr; });
  if (consumed == produced) {
    std::rethrow_exception(error);
  }
  ShardBatch& result = slots[static_cast<std::size_t>(consumed % kSlots)];
  ++consumed;
  lock.unlock();
  work.notify_one();
  return result;
}

void TrainLoader::Implementation::run() {
  std::unique_lock lock(mutex);
  while (true) {
    // The shard before `consumed` is in use, so one slot less is free.
    work.wait(lock, [this] {
      return stop || (produced < total && produced - (consumed - 1) < kSlots && error == nullptr);
    });
    if (stop) {
      return;
    }
    const std::int64_t own_generation = generation;
    const std::int64_t own_epoch = epoch;
    const std::int64_t own_start = start;
    const std::int64_t item = produced;
    lock.unlock();
    std::exception_ptr failed;
    try {
      prepare(own_epoch, own_start, item, slots[static_cast<std::size_t>(item % kSlots)]);
    } catch (...) {
      failed = std::current_exception();
    }
    lock.lock();
    if (generation != own_generation) {
      continue;
    }
    error = failed;
    produced += failed == nullptr ? 1 : 0;
    ready.notify_one();
  }
}

void TrainLoader::Implementation::prepare(std::int64_t for_epoch, std::int64_t start_step, std::int64_t item,
                                          ShardBatch& result) {
  if (order_epoch != for_epoch) {
    order = epoch_order(dataset->size(), options.seed, for_epoch);
    order_epoch = for_epoch;
  }
  result.step = start_step + item / shards_per_step;
  result.shard = options.rank + static_cast<int>(item % shards_per_step) * options.ranks;
  const std::size_t first = static_cast<std::size_t>(result.step) * static_cast<std::size_t>(options.batch) +
                            static_cast<std::size_t>(result.shard) * shard_images;
  const std::size_t elements = pixels.size();
  for (std::size_t i = 0; i < shard_images; ++i) {
    const std::int64_t index = order[first + i];
    result.labels[i] = dataset->read(index, pixels);
    augmentation.apply(for_epoch, index, pixels, augmented);
    table.apply(augmented, std::span(result.images).subspan(i * elements, elements));
  }
}

TrainLoader::TrainLoader(std::shared_ptr<const Dataset> dataset, const Normalization& normalization,
                         const LoaderOptions& options)
    : implementation_(std::make_unique<Implementation>(std::move(dataset), normalization, options)) {}

TrainLoader::~TrainLoader() = default;

void TrainLoader::start_epoch(std::int64_t epoch, std::int64_t first_step) {
  implementation_->start_epoch(epoch, first_step);
}

const ShardBatch& TrainLoader::next() { return implementation_->next(); }

std::int64_t TrainLoader::steps() const { return implementation_->steps; }

void read_images(const Dataset& dataset, const Normalization& normalization, std::int64_t first,
                 std::span<float> images, std::span<std::int32_t> labels) {
  const auto elements = static_cast<std::size_t>(dataset.shape().elements());
  if (images.size() != labels.size() * elements) {
    throw Failure(concat("cannot read ", labels.size(), " images of ", elements, " pixels into ",
                         images.size(), " numbers"));
  }
  const NormalizationTable table(normalization, dataset.shape().channels);
  std::vector<std::uint8_t> pixels(elements);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    labels[i] = dataset.read(first + static_cast<std::int64_t>(i), pixels);
    table.apply(pixels, images.subspan(i * elements, elements));
  }
}

}  // namespace adapt
