#include "exchange/metrics.hpp"

#include <cmath>
#include <span>

#include "base/error.hpp"

namespace adapt {
namespace {

/// Losses are kept in units of 2^-24: finer than float32 logits make a loss, with room for 2^39 in a sum.
constexpr double kLossScale = 0x1p24;
constexpr double kLargestLoss = 0x1p30;

}  // namespace

void MetricSum::add(double loss, std::int64_t correct, std::int64_t images) {
  if (!(std::abs(loss) < kLargestLoss)) {
    throw Failure(
        concat("the loss is ", loss, ": training has diverged; a smaller training.learning_rate may help"));
  }
  values_[0] += std::llround(loss * kLossScale);
  values_[1] += correct;
  values_[2] += images;
}

void MetricSum::reduce(const mpi::Communicator& ranks) { ranks.sum(std::span(values_)); }

double MetricSum::mean_loss() const {
  return static_cast<double>(values_[0]) / kLossScale / static_cast<double>(values_[2]);
}

double MetricSum::accuracy() const {
  return static_cast<double>(values_[1]) / static_cast<double>(values_[2]);
}

MetricSum& MetricSum::operator+=(const MetricSum& other) {
  for (std::size_t i = 0; i < values_.size(); ++i) {
    values_[i] += other.values_[i];
  }
  return *this;
}

}  // namespace adapt
