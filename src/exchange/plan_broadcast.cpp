#include "exchange/plan_broadcast.hpp"

#include <span>
#include <vector>

#include "base/error.hpp"

namespace adapt {

void PlanBroadcast::update(PrecisionPlan& plan, const mpi::Communicator& ranks) {
  if (ranks.rank() != 0 && plan.version != known_) {
    throw Failure(concat("this rank runs precision plan ", plan.version, ", but all were told ", known_));
  }
  std::int64_t version = plan.version;
  ranks.broadcast(std::as_writable_bytes(std::span(&version, 1)));
  if (version == known_) {
    return;
  }
  std::vector<std::int64_t> wire = pack(plan);
  ranks.broadcast(std::as_writable_bytes(std::span(wire)));
  unpack(wire, plan);
  known_ = version;
}

}  // namespace adapt
