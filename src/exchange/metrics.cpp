#include "exchange/metrics.hpp"

#include <cmath>
#include <span>

#include "base/error.hpp"

namespace adapt {
namespace {

/// Losses are kept in units of 2^-24: finer than float32 logits make a loss, with room for 2^39 in a sum.
constexpr double kLossScale = 0x1p24;
constexpr double kLargestLoss = 0x1p30;
/// Two sums within this bound can be added without overflow.
constexpr std::int64_t kLargestSum = std::int64_t{1} << 62U;

[[noreturn]] void refuse(double loss) {
  throw Failure(
      concat("the loss is ", loss, ": training has diverged; a smaller training.learning_rate may help"));
}

/// Throws Failure where the losses in units of 1 / kLossScale are beyond `limit`.
void check_sum(std::int64_t losses, std::int64_t limit) {
  if (losses >= limit || losses <= -limit) {
    refuse(static_cast<double>(losses) / kLossScale);
  }
}

}  // namespace

bool MetricSum::fits(double loss) { return std::abs(loss) < kLargestLoss; }

void MetricSum::add(double loss, std::int64_t correct, std::int64_t images) {
  if (!fits(loss)) {
    refuse(loss);
  }
  values_[0] += std::llround(loss * kLossScale);
  check_sum(values_[0], kLargestSum);
  values_[1] += correct;
  values_[2] += images;
}

void MetricSum::reduce(const mpi::Communicator& ranks) {
  check_sum(values_[0], kLargestSum / ranks.size());
  ranks.sum(std::span(values_));
}

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
  check_sum(values_[0], kLargestSum);
  return *this;
}

}  // namespace adapt
