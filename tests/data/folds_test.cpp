#include "data/folds.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "data/checksum.hpp"
#include "data/fixtures.hpp"
#include "data/memory_dataset.hpp"

namespace adapt {
namespace {

/// Images of one pixel; pixel i is i.
std::shared_ptr<const MemoryDataset> numbered(const std::vector<int>& labels) {
  ImageArrays arrays = {{1, 1, 1}, 3, {}, {}};
  for (std::size_t i = 0; i < labels.size(); ++i) {
    arrays.pixels.push_back(static_cast<std::uint8_t>(i));
    arrays.labels.push_back(static_cast<std::uint8_t>(labels[i]));
  }
  return std::make_shared<MemoryDataset>(std::move(arrays));
}

/// The pixels of a numbered dataset: which images it holds.
std::vector<int> numbers_in(const Dataset& dataset) {
  std::vector<int> numbers;
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    std::vector<std::uint8_t> pixel(1);
    dataset.read(i, pixel);
    numbers.push_back(pixel[0]);
  }
  return numbers;
}

DataOptions fold_of(int folds, int fold) {
  DataOptions options;
  options.folds = folds;
  options.fold = fold;
  return options;
}

const std::vector<int> kLabels = {2, 0, 1, 0, 0, 2, 0, 1, 0, 0, 2, 0, 0};  // 8 of 0, 2 of 1, 3 of 2

std::map<int, int> counts(const std::vector<int>& values) {
  std::map<int, int> result;
  for (const int value : values) {
    ++result[value];
  }
  return result;
}

TEST(DealFolds, SpreadsEveryClassAndTheWholeEvenly) {
  for (const int folds : {2, 3, 4, 5, 13}) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const std::vector<int> fold = deal_folds(kLabels, folds, seed);
      ASSERT_EQ(fold.size(), kLabels.size());
      for (int label = -1; label < 3; ++label) {  // -1: all
        std::vector<int> sizes(static_cast<std::size_t>(folds));
        for (std::size_t i = 0; i < fold.size(); ++i) {
          sizes.at(static_cast<std::size_t>(fold[i])) += label < 0 || kLabels[i] == label ? 1 : 0;
        }
        const auto [fewest, most] = std::minmax_element(sizes.begin(), sizes.end());
        EXPECT_LE(*most - *fewest, 1) << folds << " folds, label " << label;
      }
    }
  }
}

TEST(DealFolds, IsAFunctionOfTheSeed) {
  EXPECT_EQ(deal_folds(kLabels, 3, 7), deal_folds(kLabels, 3, 7));
  std::set<std::vector<int>> different;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    different.insert(deal_folds(kLabels, 3, seed));
  }
  EXPECT_GE(different.size(), 18U);
}

TEST(DealFolds, TwoFoldsOfTwoImagesHoldOneEach) {
  EXPECT_EQ(counts(deal_folds({0, 0}, 2, 1)), (std::map<int, int>{{0, 1}, {1, 1}}));
  EXPECT_EQ(counts(deal_folds({0, 1}, 2, 1)), (std::map<int, int>{{0, 1}, {1, 1}}));
  EXPECT_TRUE(deal_folds({}, 2, 1).empty());
}

TEST(CrossValidation, EveryImageIsTestedOnceAndElseTrainedOn) {
  const DataSplits splits = {numbered(kLabels), numbered({0}), {{0.5F}, {0.25F}}};
  std::vector<int> tested;
  for (int fold = 0; fold < 4; ++fold) {
    const DataSplits folded = cross_validation(splits, fold_of(4, fold), 3);
    const std::vector<int> test = numbers_in(*folded.test);
    std::vector<int> both = numbers_in(*folded.train);
    EXPECT_TRUE(std::is_sorted(both.begin(), both.end()));
    EXPECT_TRUE(std::is_sorted(test.begin(), test.end()));
    tested.insert(tested.end(), test.begin(), test.end());
    both.insert(both.end(), test.begin(), test.end());
    std::sort(both.begin(), both.end());
    EXPECT_EQ(both, numbers_in(*splits.train));
    EXPECT_EQ(folded.normalization.mean[0], 0.5F);
    EXPECT_EQ(folded.train->classes(), 3);
    EXPECT_EQ(folded.train->shape(), (ImageShape{1, 1, 1}));
  }
  std::sort(tested.begin(), tested.end());
  EXPECT_EQ(tested, numbers_in(*splits.train));
}

TEST(CrossValidation, WithoutFoldsNothingChanges) {
  const DataSplits splits = {numbered(kLabels), numbered({0}), {}};
  const DataSplits same = cross_validation(splits, fold_of(0, 0), 3);
  EXPECT_EQ(same.train, splits.train);
  EXPECT_EQ(same.test, splits.test);
}

TEST(CrossValidation, RefusesMoreFoldsThanImages) {
  const DataSplits splits = {numbered({0, 1, 2}), numbered({0}), {}};
  EXPECT_EQ(cross_validation(splits, fold_of(3, 2), 1).test->size(), 1);
  test::expect_bad_input([&] { cross_validation(splits, fold_of(4, 0), 1); },
                         {"data.folds is 4", "3 images"});
}

TEST(CrossValidation, BelongsToOpeningADataset) {
  DataOptions options = fold_of(5, 4);
  options.train_samples = 52;
  options.test_samples = 10;
  const DataSplits data = open_dataset(options, 1);
  EXPECT_EQ(data.train->size() + data.test->size(), 52);
  EXPECT_GE(data.test->size(), 10);
  EXPECT_LE(data.test->size(), 11);
}

TEST(DatasetView, ReadsTheImagesItWasGiven) {
  const DatasetView view(numbered(kLabels), {10, 0, 0});
  EXPECT_EQ(numbers_in(view), (std::vector<int>{10, 0, 0}));
  std::vector<std::uint8_t> pixel(1);
  EXPECT_EQ(view.read(0, pixel), 2);
  EXPECT_EQ(view.checksum(), content_checksum(view));
  EXPECT_NE(view.checksum(), numbered(kLabels)->checksum());
  EXPECT_THROW(view.read(3, pixel), Failure);
  EXPECT_THROW(view.read(-1, pixel), Failure);
  std::vector<std::uint8_t> two(2);
  EXPECT_THROW(view.read(0, two), Failure);
  EXPECT_THROW(DatasetView(numbered(kLabels), {13}), Failure);
  EXPECT_THROW(DatasetView(numbered(kLabels), {-1}), Failure);
}

}  // namespace
}  // namespace adapt
