#pragma once

#include <cstdint>
#include <span>

namespace adapt {

/// Kullback-Leibler divergence KL(P‖Q) = sum over bins of p · ln(p / q), in nats, of the distributions behind
/// two histograms over the same bins.
///
/// Smoothing: every bin of a histogram with N counts gets smoothing · N pseudo-counts more, so that
/// p = (count / N + smoothing) / (1 + bins · smoothing), likewise q. An empty bin of Q then costs about
/// p · ln(p / smoothing) instead of infinity. With smoothing = 0 a bin that is empty in P adds 0, and one
/// that is empty in Q only makes the result +inf.
///
/// Throws Failure for histograms of different length, without any counts, or for a negative smoothing.
double kl_divergence(std::span<const std::int64_t> p_counts, std::span<const std::int64_t> q_counts,
                     double smoothing);

}  // namespace adapt
