#include "experiment/estimate.hpp"

#include <cmath>
#include <cstdlib>

namespace adapt {
namespace {

/// Keys whose values are equal in both; -1 where the two cannot be compared at all.
int likeness(const IndexEntry& a, const IndexEntry& b) {
  for (const char* key : {"model.name", "data.name", "data.train_samples"}) {
    if (a.value_of(key) != b.value_of(key)) {
      return -1;
    }
  }
  int equal = 0;
  for (std::size_t i = 0; i < a.configuration.size() && i < b.configuration.size(); ++i) {
    equal += a.configuration[i] == b.configuration[i] ? 1 : 0;
  }
  return equal;
}

/// Core-seconds of an epoch of a finished run; NaN where its log does not tell.
double epoch_seconds(const IndexEntry& run) {
  const double epochs = run.metric("epochs");
  return epochs > 0 ? run.metric("seconds") * run.metric("ranks") * run.metric("threads") / epochs
                    : std::nan("");
}

/// Mean over the finished runs that are most like `run`.
std::optional<double> epoch_seconds_like(const IndexEntry& run, const std::vector<IndexEntry>& all) {
  int best = -1;
  double sum = 0;
  int count = 0;
  for (const IndexEntry& other : all) {
    const double seconds = other.state == RunState::done ? epoch_seconds(other) : std::nan("");
    const int like = std::isnan(seconds) ? -1 : likeness(run, other);
    if (like > best) {
      best = like;
      sum = 0;
      count = 0;
    }
    if (like >= 0 && like == best) {
      sum += seconds;
      ++count;
    }
  }
  return count > 0 ? std::optional(sum / count) : std::nullopt;
}

}  // namespace

Estimate estimate(const std::vector<IndexEntry>& planned, const std::vector<IndexEntry>& all) {
  constexpr double kSecondsOfAnHour = 3600;
  Estimate result;
  for (const IndexEntry& run : planned) {
    const auto seconds = epoch_seconds_like(run, all);
    if (!seconds) {
      ++result.unknown;
      continue;
    }
    ++result.runs;
    result.core_hours += *seconds * std::atof(run.value_of("training.epochs").c_str()) / kSecondsOfAnHour;
  }
  return result;
}

}  // namespace adapt
