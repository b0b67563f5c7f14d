#include "precision/strategy_tracker.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace adapt {

void StrategyTracker::add(double loss) {
  if (losses_.size() == capacity_) {
    losses_.erase(losses_.begin());
  }
  losses_.push_back(loss);
}

void StrategyTracker::update(std::size_t lookback) {
  if (!adaptive_) {
    return;
  }
  const auto count = static_cast<std::ptrdiff_t>(std::clamp<std::size_t>(lookback, 1, losses_.size()));
  const double mean = std::accumulate(losses_.end() - count, losses_.end(), 0.0) / static_cast<double>(count);
  const double newest = losses_.back();
  if (std::abs(mean) > std::abs(newest)) {
    strategy_ = Strategy::min;
  } else if (std::abs(mean) <= std::abs(newest)) {
    strategy_ = strategy_ == Strategy::min ? Strategy::mean : Strategy::max;
  }
}

void StrategyTracker::restore(std::vector<double> losses, Strategy strategy) {
  losses_ = std::move(losses);
  strategy_ = strategy;
}

}  // namespace adapt
