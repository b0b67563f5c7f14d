#include "data/loader.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <utility>

#include "data/augment.hpp"
#include "data/memory_dataset.hpp"
#include "data/normalize.hpp"
#include "fixtures.hpp"

namespace adapt {
namespace {

const Normalization kConstants{{0.25F}, {0.5F}};

/// `count` images of 4x4; the label is index mod 256.
std::shared_ptr<const Dataset> dataset_of(std::size_t count) {
  ImageArrays arrays{{4, 4, 1}, 256, test::Bytes(16 * count), test::Bytes(count)};
  for (std::size_t i = 0; i < count; ++i) {
    arrays.labels[i] = static_cast<std::uint8_t>(i);
    for (std::size_t j = 0; j < 16; ++j) {
      arrays.pixels[16 * i + j] = static_cast<std::uint8_t>(7 * i + 11 * j + 1);
    }
  }
  return std::make_shared<MemoryDataset>(std::move(arrays));
}

LoaderOptions options_of(int rank = 0, int ranks = 1) {
  LoaderOptions options;
  options.seed = 3;
  options.batch = 12;
  options.shards = 6;
  options.rank = rank;
  options.ranks = ranks;
  options.augmentation = AugmentationKind::crop_flip;
  options.crop_padding = 2;
  return options;
}

/// What a shard holds, by (step, shard).
struct Content {
  std::vector<float> images;
  std::vector<std::int32_t> labels;
  bool operator==(const Content&) const = default;
};
using Contents = std::map<std::pair<std::int64_t, int>, Content>;

/// Takes `count` shards, or all to the end of the epoch; checks that they come by step, then by shard.
Contents take(TrainLoader& loader, std::int64_t count) {
  Contents contents;
  for (std::int64_t i = 0; i < count; ++i) {
    const ShardBatch& batch = loader.next();
    const std::pair key(batch.step, batch.shard);
    EXPECT_TRUE(contents.empty() || contents.rbegin()->first < key) << "out of order";
    contents[key] = {{batch.images.begin(), batch.images.end()}, batch.labels};
  }
  return contents;
}

/// An epoch computed the obvious way.
Contents reference(const Dataset& dataset, const LoaderOptions& options, std::int64_t epoch) {
  const Augmentation augmentation(options.augmentation, options.crop_padding, dataset.shape(), options.seed);
  const NormalizationTable table(kConstants, dataset.shape().channels);
  const std::vector<std::int64_t> order = epoch_order(dataset.size(), options.seed, epoch);
  const int part = options.batch / options.shards;
  Contents contents;
  test::Bytes image(16);
  test::Bytes augmented(16);
  std::vector<float> values(16);
  for (std::int64_t step = 0; step < dataset.size() / options.batch; ++step) {
    for (int position = 0; position < options.batch; ++position) {
      const std::int64_t index = order[static_cast<std::size_t>(step * options.batch + position)];
      Content& content = contents[{step, position / part}];
      content.labels.push_back(dataset.read(index, image));
      augmentation.apply(epoch, index, image, augmented);
      table.apply(augmented, values);
      content.images.insert(content.images.end(), values.begin(), values.end());
    }
  }
  return contents;
}

TEST(Loader, UnionOverRanksIsTheReferenceForAnyRankCount) {
  const auto dataset = dataset_of(65);  // 5 steps, 5 images left out
  for (const std::int64_t epoch : {0, 1, 7}) {
    const Contents expected = reference(*dataset, options_of(), epoch);
    ASSERT_EQ(expected.size(), 30U);
    for (const int ranks : {1, 2, 3, 4, 6}) {
      Contents all;
      for (int rank = 0; rank < ranks; ++rank) {
        TrainLoader loader(dataset, kConstants, options_of(rank, ranks));
        EXPECT_EQ(loader.steps(), 5);
        loader.start_epoch(epoch);
        const std::int64_t shards = (6 - rank + ranks - 1) / ranks;
        Contents own = take(loader, 5 * shards);
        for (const auto& [key, content] : own) {
          EXPECT_EQ(key.second % ranks, rank);
        }
        all.merge(own);
        EXPECT_TRUE(own.empty()) << "a shard came twice";
        EXPECT_THROW(loader.next(), Failure) << "the epoch is over";
      }
      EXPECT_EQ(all, expected) << ranks << " ranks, epoch " << epoch;
    }
  }
}

TEST(Loader, ResumesInTheMiddle) {
  const auto dataset = dataset_of(65);
  Contents expected = reference(*dataset, options_of(), 2);
  expected.erase(expected.begin(), expected.lower_bound({3, 0}));
  TrainLoader loader(dataset, kConstants, options_of());
  loader.start_epoch(2, 3);
  EXPECT_EQ(take(loader, 12), expected);
}

TEST(Loader, RestartsAtAnyTime) {
  const auto dataset = dataset_of(65);
  TrainLoader loader(dataset, kConstants, options_of());
  for (int round = 0; round < 300; ++round) {
    const std::int64_t epoch = round % 3;
    loader.start_epoch(epoch, round % 6);
    if (round % 6 == 5) {
      EXPECT_THROW(loader.next(), Failure);
      continue;
    }
    const Contents expected = reference(*dataset, options_of(), epoch);
    for (const auto& [key, content] : take(loader, round % 7 % 6)) {
      ASSERT_EQ(content, expected.at(key)) << "round " << round;
      ASSERT_GE(key.first, round % 6);
    }
  }
}

TEST(Loader, BuffersAreReused) {
  TrainLoader loader(dataset_of(120), kConstants, options_of());
  std::map<const float*, int> places;
  for (const std::int64_t epoch : {0, 1}) {
    loader.start_epoch(epoch);
    for (int i = 0; i < 60; ++i) {
      ++places[loader.next().images.data()];
    }
  }
  EXPECT_LE(places.size(), 4U);
}

TEST(Loader, AReferenceLivesUntilTheNextCall) {
  const auto dataset = dataset_of(1200);
  const Contents expected = reference(*dataset, options_of(), 0);
  TrainLoader loader(dataset, kConstants, options_of());
  loader.start_epoch(0);
  for (int i = 0; i < 300; ++i) {
    const ShardBatch& batch = loader.next();
    for (int look = 0; look < 20; ++look) {  // while the thread runs ahead
      const auto& images = expected.at({batch.step, batch.shard}).images;
      ASSERT_TRUE(std::equal(images.begin(), images.end(), batch.images.begin()));
    }
  }
}

TEST(Loader, StopsCleanlyAtAnyMoment) {
  const auto dataset = dataset_of(120);
  for (int taken = 0; taken < 50; ++taken) {
    TrainLoader loader(dataset, kConstants, options_of());
    if (taken > 0) {
      loader.start_epoch(0);
      take(loader, taken - 1);
    }
  }
}

TEST(Loader, RefusesBadOptions) {
  const auto dataset = dataset_of(20);
  const auto open = [&](const auto& change) {
    return [&dataset, change] {
      LoaderOptions options = options_of();
      change(options);
      TrainLoader(dataset, kConstants, options);
    };
  };
  using test::expect_bad_input;
  expect_bad_input(open([](auto& o) { o.batch = 13; }), {"training.batch is 13", "training.shards 6"});
  expect_bad_input(open([](auto& o) { o.batch = 24; }), {"training.accumulate is 24", "20 training images"});
  expect_bad_input(open([](auto& o) { o.batch = 0; }), {"training.batch is 0"});
  expect_bad_input(open([](auto& o) { o.shards = 0; }), {"training.shards 0"});
  expect_bad_input(open([](auto& o) { o.ranks = 7; }), {"7 ranks", "training.shards 6"});
  expect_bad_input(open([](auto& o) { o.rank = 1; }), {"rank 1 of 1"});
  TrainLoader loader(dataset, kConstants, options_of());
  EXPECT_THROW(loader.next(), Failure) << "no epoch started";
  expect_bad_input([&] { loader.start_epoch(0, 2); }, {"step 2", "0..1"});
  expect_bad_input([&] { loader.start_epoch(-1); }, {"epoch -1"});
}

/// Reads as the other, but throws for one image, until told otherwise.
class Faulty : public Dataset {
 public:
  Faulty(std::shared_ptr<const Dataset> source, std::int64_t bad) : source_(std::move(source)), bad_(bad) {}
  std::int64_t size() const override { return source_->size(); }
  ImageShape shape() const override { return source_->shape(); }
  int classes() const override { return source_->classes(); }
  int read(std::int64_t index, std::span<std::uint8_t> pixels) const override {
    if (index == bad_ && !repaired) {
      throw Failure("disk gone");
    }
    return source_->read(index, pixels);
  }
  std::string checksum() const override { return source_->checksum(); }

  std::atomic<bool> repaired = false;

 private:
  std::shared_ptr<const Dataset> source_;
  std::int64_t bad_;
};

TEST(Loader, ErrorsOfTheThreadComeInTheirPlace) {
  const auto good = dataset_of(60);
  const Contents expected = reference(*good, options_of(), 0);
  const std::int64_t bad = epoch_order(60, 3, 0)[2 * 12 + 5];  // step 2, shard 2: after 14 good shards
  const auto faulty = std::make_shared<Faulty>(good, bad);
  TrainLoader loader(faulty, kConstants, options_of());
  loader.start_epoch(0);
  for (const auto& [key, content] : take(loader, 14)) {
    EXPECT_EQ(content, expected.at(key));
  }
  for (int attempt = 0; attempt < 2; ++attempt) {
    try {
      loader.next();
      FAIL() << "expected Failure";
    } catch (const Failure& error) {
      EXPECT_STREQ(error.what(), "disk gone");
    }
  }
  faulty->repaired = true;
  loader.start_epoch(0);
  EXPECT_EQ(take(loader, 30), expected) << "after the repair";
}

TEST(ReadImages, InOrderAndNormalized) {
  const auto dataset = dataset_of(10);
  std::vector<float> images(3 * 16);
  std::vector<std::int32_t> labels(3);
  read_images(*dataset, kConstants, 7, images, labels);
  EXPECT_EQ(labels, (std::vector<std::int32_t>{7, 8, 9}));
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 16; ++j) {
      const int byte = (7 * (7 + i) + 11 * j + 1) % 256;
      EXPECT_EQ(images[static_cast<std::size_t>(16 * i + j)],
                static_cast<float>((byte / 255.0 - 0.25) / 0.5));
    }
  }
  EXPECT_THROW(read_images(*dataset, kConstants, 8, images, labels), Failure) << "beyond the end";
  images.pop_back();
  EXPECT_THROW(read_images(*dataset, kConstants, 0, images, labels), Failure);
}

}  // namespace
}  // namespace adapt
