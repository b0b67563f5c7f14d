#include "train/statistics.hpp"

#include <algorithm>

namespace adapt {
namespace {

void move(AlignedVector<float>& running, std::span<const float> value, double momentum) {
  const auto share = static_cast<float>(momentum);
  for (std::size_t c = 0; c < running.size(); ++c) {
    running[c] += share * (value[c] - running[c]);
  }
}

}  // namespace

StatisticsExchange::StatisticsExchange(const ModelState& state, int shards,
                                       const AlgorithmChoice& algorithms) {
  std::vector<ExchangeTensor> tensors;
  std::size_t largest = 0;
  for (const RunningStatistics& statistics : state.statistics) {
    tensors.push_back({statistics.name + ".mean", statistics.shard_mean.size(), -1});
    tensors.push_back({statistics.name + ".variance", statistics.shard_variance.size(), -1});
    largest = std::max(largest, statistics.shard_mean.size());
  }
  if (!tensors.empty()) {
    encoding_ =
        make_encoding(Encoding::exact, tensors, shards,
                      {.algorithm = algorithms.of(sizes_of(tensors), entry_of(Encoding::exact).usual_bits)});
  }
  mean_.resize(largest);
}

void StatisticsExchange::begin(std::uint32_t step) {
  if (encoding_) {
    encoding_->begin({.step = step});
  }
}

void StatisticsExchange::add(const ModelState& state, std::uint32_t shard) {
  std::size_t tensor = 0;
  for (const RunningStatistics& statistics : state.statistics) {
    encoding_->add(tensor++, shard, statistics.shard_mean);
    encoding_->add(tensor++, shard, statistics.shard_variance);
  }
}

void StatisticsExchange::reduce(ModelState& state, const mpi::Communicator& ranks) {
  if (!encoding_) {
    return;
  }
  encoding_->reduce(ranks);
  std::size_t tensor = 0;
  for (RunningStatistics& statistics : state.statistics) {
    const std::span mean = std::span(mean_).first(statistics.running_mean.size());
    encoding_->mean(tensor++, 0, mean);
    move(statistics.running_mean, mean, statistics.momentum);
    encoding_->mean(tensor++, 0, mean);
    move(statistics.running_variance, mean, statistics.momentum);
  }
}

}  // namespace adapt
