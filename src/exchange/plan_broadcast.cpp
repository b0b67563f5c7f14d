#include "exchange/plan_broadcast.hpp"

#include <limits>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "mpi/together.hpp"

namespace adapt {
namespace {

/// Sent in place of a version where rank 0 failed.
constexpr std::int64_t kNoDecision = std::numeric_limits<std::int64_t>::min();

constexpr auto kFormats = kTensors<std::optional<FixedFormat>>;

/// What may change of a plan, besides its version: word length (0: float32) and fractional length of each
/// tensor, and the start of the final phase.
std::vector<std::int64_t> pack(const PrecisionPlan& plan) {
  std::vector<std::int64_t> wire = {plan.final_phase};
  for (const LayerFormats& layer : plan.layers) {
    for (const auto tensor : kFormats) {
      const FixedFormat format = (layer.*tensor).value_or(FixedFormat{0, 0});
      wire.push_back(format.word_length);
      wire.push_back(format.fractional_length);
    }
  }
  return wire;
}

void unpack(const std::vector<std::int64_t>& wire, PrecisionPlan& plan) {
  auto value = wire.begin();
  plan.final_phase = *value++;
  for (LayerFormats& layer : plan.layers) {
    for (const auto tensor : kFormats) {
      const auto word_length = static_cast<int>(*value++);
      const auto fractional_length = static_cast<int>(*value++);
      layer.*tensor =
          word_length == 0 ? std::nullopt : std::optional(FixedFormat{word_length, fractional_length});
    }
  }
}

}  // namespace

void PlanBroadcast::update(PrecisionPlan& plan, const mpi::Communicator& ranks,
                           const std::function<void()>& decide) {
  if (ranks.rank() != 0 && plan.version != known_) {
    throw Failure(concat("this rank runs precision plan ", plan.version, ", but all were told ", known_));
  }
  const mpi::Ending ending = ranks.rank() == 0 ? mpi::attempt(decide) : mpi::Ending{};
  std::int64_t version = ending.code == ExitCode::done ? plan.version : kNoDecision;
  ranks.broadcast(std::as_writable_bytes(std::span(&version, 1)));
  if (version == kNoDecision) {
    mpi::share_failure(ranks, ending, 0);
  }
  if (version == known_) {
    return;
  }
  std::vector<std::int64_t> wire = pack(plan);
  ranks.broadcast(std::as_writable_bytes(std::span(wire)));
  unpack(wire, plan);
  plan.version = version;
  known_ = version;
}

}  // namespace adapt
