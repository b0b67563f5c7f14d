#include "bench/timing.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/stopwatch.hpp"

namespace adapt {
namespace {

constexpr double kNanoseconds = 1e9;

std::int64_t nanoseconds(double seconds) { return std::llround(seconds * kNanoseconds); }

/// Seconds of `calls` calls until the slowest rank is done.
double timed(const Contender& contender, std::int64_t calls, const mpi::Communicator& ranks) {
  ranks.barrier();
  const Stopwatch watch;
  contender.run(calls);
  std::array<std::int64_t, 1> slowest = {nanoseconds(watch.seconds())};
  ranks.maximum(slowest);
  return static_cast<double>(slowest[0]) / kNanoseconds;
}

/// Warms up and returns how many calls fill a repetition: the same on all ranks, because all know the same
/// time.
std::int64_t calls_for(const Contender& contender, double seconds, const mpi::Communicator& ranks) {
  std::int64_t calls = 1;
  timed(contender, calls, ranks);  // makes kernels, touches memory
  while (true) {
    const double taken = timed(contender, calls, ranks);
    if (taken >= seconds / 8) {
      return std::max<std::int64_t>(1, std::llround(static_cast<double>(calls) * seconds / taken));
    }
    calls *= 2;
  }
}

std::vector<Part> parts_of(const Contender& contender) {
  return contender.parts ? contender.parts() : std::vector<Part>();
}

/// Mean over the ranks of what the parts took since `before`, per call.
std::vector<double> shares(const std::vector<Part>& before, const std::vector<Part>& after,
                           std::int64_t calls, const mpi::Communicator& ranks) {
  std::vector<std::int64_t> sums;
  sums.reserve(after.size());
  for (std::size_t i = 0; i < after.size(); ++i) {
    sums.push_back(nanoseconds(after[i].seconds - before[i].seconds));
  }
  if (!sums.empty()) {
    ranks.sum(std::span(sums));
  }
  std::vector<double> seconds;
  seconds.reserve(sums.size());
  for (const std::int64_t sum : sums) {
    seconds.push_back(static_cast<double>(sum) / kNanoseconds / static_cast<double>(calls) / ranks.size());
  }
  return seconds;
}

/// One contender's repetitions as they come.
struct Series {
  std::int64_t calls = 1;
  std::vector<double> seconds;
  std::vector<std::vector<double>> shares;  // by repetition and part
};

void repeat(const Contender& contender, Series& series, const mpi::Communicator& ranks) {
  const std::vector<Part> before = parts_of(contender);
  series.seconds.push_back(timed(contender, series.calls, ranks) / static_cast<double>(series.calls));
  series.shares.push_back(shares(before, parts_of(contender), series.calls, ranks));
}

Timing timing_of(const Contender& contender, const Series& series) {
  Timing timing = {series.seconds, parts_of(contender)};
  for (std::size_t i = 0; i < timing.parts.size(); ++i) {
    std::vector<double> repetitions;
    for (const std::vector<double>& repetition : series.shares) {
      repetitions.push_back(repetition[i]);
    }
    timing.parts[i].seconds = spread_of(repetitions).median;
  }
  return timing;
}

}  // namespace

Spread spread_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  const double median = values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
  return {median, values.front(), values.back()};
}

std::vector<Timing> time_in_turn(const std::vector<Contender>& contenders, const TimingOptions& options,
                                 const mpi::Communicator& ranks) {
  std::vector<Series> series(contenders.size());
  for (std::size_t i = 0; i < contenders.size(); ++i) {
    series[i].calls = calls_for(contenders[i], options.seconds, ranks);
  }
  for (int round = 0; round < options.repeats; ++round) {
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      repeat(contenders[i], series[i], ranks);
    }
  }
  std::vector<Timing> timings;
  for (std::size_t i = 0; i < contenders.size(); ++i) {
    timings.push_back(timing_of(contenders[i], series[i]));
  }
  return timings;
}

}  // namespace adapt
