#include "numerics/divergence.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "base/error.hpp"
#include "numerics/functions.hpp"

namespace adapt {
namespace {

double total_of(std::span<const std::int64_t> counts) {
  return static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
}

}  // namespace

double kl_divergence(std::span<const std::int64_t> p_counts, std::span<const std::int64_t> q_counts,
                     double smoothing) {
  const double p_total = total_of(p_counts);
  const double q_total = total_of(q_counts);
  if (p_counts.size() != q_counts.size() || p_total <= 0 || q_total <= 0 || !(smoothing >= 0)) {
    throw Failure(concat("KL divergence of histograms with ", p_counts.size(), " and ", q_counts.size(),
                         " bins, ", p_total, " and ", q_total, " counts, smoothing ", smoothing,
                         ": needs equal bins, some counts and a smoothing >= 0"));
  }
  double sum = 0;
  for (std::size_t i = 0; i < p_counts.size(); ++i) {
    const double p = static_cast<double>(p_counts[i]) / p_total + smoothing;
    const double q = static_cast<double>(q_counts[i]) / q_total + smoothing;
    if (p == q || p == 0) {
      continue;
    }
    if (q == 0) {
      return std::numeric_limits<double>::infinity();
    }
    sum += p * log(p / q);
  }
  // Rounding can leave a sum just below the bound 0 that KL has.
  return std::max(sum / (1 + smoothing * static_cast<double>(p_counts.size())), 0.0);
}

}  // namespace adapt
