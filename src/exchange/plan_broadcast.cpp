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
  known_ = version;
}

}  // namespace adapt
