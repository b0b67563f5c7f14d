#include "data/folds.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "data/checksum.hpp"
#include "numerics/random.hpp"

namespace adapt {
namespace {

std::vector<int> labels_of(const Dataset& dataset) {
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(dataset.shape().elements()));
  std::vector<int> labels;
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    labels.push_back(dataset.read(i, pixels));
  }
  return labels;
}

/// Positions of the images of each class, ascending.
std::vector<std::vector<std::size_t>> by_class(const std::vector<int>& labels) {
  std::vector<std::vector<std::size_t>> members;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto label = static_cast<std::size_t>(labels[i]);
    members.resize(std::max(members.size(), label + 1));
    members[label].push_back(i);
  }
  return members;
}

}  // namespace

DatasetView::DatasetView(std::shared_ptr<const Dataset> source, std::vector<std::int64_t> indices)
    : source_(std::move(source)), indices_(std::move(indices)) {
  for (const std::int64_t index : indices_) {
    if (index < 0 || index >= source_->size()) {
      throw Failure(concat("a view of ", source_->size(), " images cannot hold image ", index));
    }
  }
}

int DatasetView::read(std::int64_t index, std::span<std::uint8_t> pixels) const {
  if (index < 0 || index >= size()) {
    throw Failure(concat("cannot read image ", index, ": the view has ", size(), " images"));
  }
  return source_->read(indices_[static_cast<std::size_t>(index)], pixels);
}

std::string DatasetView::checksum() const {
  std::call_once(checksum_once_, [this] { checksum_ = content_checksum(*this); });
  return checksum_;
}

std::vector<int> deal_folds(const std::vector<int>& labels, int folds, std::uint64_t seed) {
  std::vector<int> fold_of(labels.size());
  const auto members = by_class(labels);
  std::size_t dealt = 0;  // goes on from class to class, so that the folds as a whole stay even, too
  for (std::size_t label = 0; label < members.size(); ++label) {
    std::vector<std::size_t> images = members[label];
    RandomSequence random(
        {.seed = seed, .stream = Stream::folds, .tensor = static_cast<std::uint32_t>(label)});
    for (std::size_t left = images.size(); left > 1; --left) {  // Fisher-Yates, from the end
      std::swap(images[left - 1], images[random.below(static_cast<std::uint32_t>(left))]);
    }
    for (const std::size_t image : images) {
      fold_of[image] = static_cast<int>(dealt++ % static_cast<std::size_t>(folds));
    }
  }
  return fold_of;
}

DataSplits cross_validation(DataSplits splits, const DataOptions& options, std::uint64_t seed) {
  if (options.folds == 0) {
    return splits;
  }
  if (options.folds > splits.train->size()) {
    throw BadInput(concat("data.folds is ", options.folds, ", but the training set has ",
                          splits.train->size(), " images: expected at most one fold per image"));
  }
  const std::vector<int> fold_of = deal_folds(labels_of(*splits.train), options.folds, seed);
  std::vector<std::int64_t> train;
  std::vector<std::int64_t> test;
  for (std::size_t i = 0; i < fold_of.size(); ++i) {
    (fold_of[i] == options.fold ? test : train).push_back(static_cast<std::int64_t>(i));
  }
  return {std::make_shared<DatasetView>(splits.train, std::move(train)),
          std::make_shared<DatasetView>(splits.train, std::move(test)), splits.normalization};
}

}  // namespace adapt
