#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "mpi/communicator.hpp"

namespace adapt {

/// Share of a call's time, on this rank.
struct Part {
  std::string group;  ///< "phases"
  std::string name;   ///< "forward"
  double seconds = 0;
};

/// Something to be timed. All ranks have the same, in the same order.
struct Contender {
  /// Does the work `calls` times (may be collective).
  std::function<void(std::int64_t calls)> run;
  /// Seconds spent in each part since the start, this rank; same parts each time. May be empty.
  std::function<std::vector<Part>()> parts;
};

struct TimingOptions {
  int repeats = 7;
  double seconds = 1;  ///< about so long takes one repetition
};

struct Spread {
  double median = 0;
  double minimum = 0;
  double maximum = 0;
};

/// Median (of an even number: mean of the middle two), smallest and largest; at least one value.
Spread spread_of(std::vector<double> values);

/// What came out for one contender.
struct Timing {
  std::vector<double> seconds;  ///< per call, by repetition, of the slowest rank
  std::vector<Part> parts;      ///< seconds per call: median over the repetitions of the mean over the ranks
};

/// Times the contenders in turn (A B C, A B C, ...), so that a machine that drifts treats them alike, after a
/// warm-up of each (collective). A repetition lasts from a barrier until the slowest rank is done.
std::vector<Timing> time_in_turn(const std::vector<Contender>& contenders, const TimingOptions& options,
                                 const mpi::Communicator& ranks);

}  // namespace adapt
