#include "numerics/running_maxima.hpp"

#include <algorithm>
#include <bit>

namespace adapt {
namespace {

/// An integer in the order of magnitudes: these are ordered like their bits, NaN last; -1 (absent) is below
/// all.
std::int64_t to_ordered(const std::optional<float>& magnitude) {
  return magnitude ? static_cast<std::int64_t>(std::bit_cast<std::uint32_t>(*magnitude)) : -1;
}

std::optional<float> from_ordered(std::int64_t ordered) {
  return ordered < 0 ? std::nullopt
                     : std::optional(std::bit_cast<float>(static_cast<std::uint32_t>(ordered)));
}

}  // namespace

RunningMaximum next_maximum(const RunningMaximum& running, const std::optional<float>& observed) {
  if (!observed || *observed == 0) {
    return observed ? running : std::nullopt;
  }
  return std::max(*observed, running ? kMaximumDecay * *running : 0.0F);
}

void RunningMaxima::update(std::span<const std::optional<float>> observed) {
  for (std::size_t tensor = 0; tensor < running_.size(); ++tensor) {
    running_[tensor] = next_maximum(running_[tensor], observed[tensor]);
  }
}

void RunningMaxima::save_state(StateWriter& writer, std::size_t first, std::size_t count) const {
  for (const RunningMaximum& running : std::span(running_).subspan(first, count)) {
    writer.put(to_ordered(running));
  }
}

void RunningMaxima::restore_state(StateReader& reader, std::size_t first, std::size_t count) {
  for (RunningMaximum& running : std::span(running_).subspan(first, count)) {
    running = from_ordered(reader.get<std::int64_t>());
  }
}

std::int64_t allreduce_maxima(std::span<std::optional<float>> magnitudes, const mpi::Communicator& ranks) {
  std::vector<std::int64_t> ordered(magnitudes.size());
  std::ranges::transform(magnitudes, ordered.begin(), to_ordered);
  ranks.maximum(ordered);
  std::ranges::transform(ordered, magnitudes.begin(), from_ordered);
  return mpi::allreduce_bytes(ranks, static_cast<std::int64_t>(ordered.size() * sizeof(std::int64_t)));
}

}  // namespace adapt
