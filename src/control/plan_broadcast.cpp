#include "control/plan_broadcast.hpp"

#include <limits>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "mpi/together.hpp"

namespace adapt {
namespace {

/// Rank 0 tells the others what comes: a plan for the next step, or something else in place of a version.
struct Notice {
  std::int64_t version = 0;
  std::int64_t number = 0;  ///< step that the plan counts from; jobs
};
constexpr std::int64_t kNoDecision = std::numeric_limits<std::int64_t>::min();  // rank 0 failed
constexpr std::int64_t kPushDowns = kNoDecision + 1;

void broadcast(Notice& notice, const mpi::Communicator& ranks) {
  ranks.broadcast(std::as_writable_bytes(std::span(&notice, 1)));
}

/// What rank 0's policy calls.
std::vector<PushDownResult> ask_for(const SharedPushDown& shared, const mpi::Communicator& ranks,
                                    const std::vector<PushDownJob>& jobs, const LayerWeights& weights) {
  if (!shared.is_worth_it(jobs)) {
    std::vector<PushDownResult> results;
    for (const PushDownJob& job : jobs) {
      results.push_back(push_down(weights(job.layer), job));
    }
    return results;
  }
  Notice notice = {kPushDowns, static_cast<std::int64_t>(jobs.size())};
  broadcast(notice, ranks);
  return shared.run(jobs);
}

/// The others: helps until rank 0 has decided.
Notice wait_for_decision(const SharedPushDown& shared, const mpi::Communicator& ranks) {
  Notice notice;
  for (;;) {
    broadcast(notice, ranks);
    if (notice.version != kPushDowns) {
      return notice;
    }
    shared.run(std::vector<PushDownJob>(static_cast<std::size_t>(notice.number)));
  }
}

}  // namespace

void PlanBroadcast::check(const PrecisionPlan& plan, std::int64_t step) const {
  if (plan.version != known_ || step != step_) {
    throw Failure(concat("this rank is about to compute step ", step, " with precision plan ", plan.version,
                         ", but was told plan ", known_, " for step ", step_,
                         "; all ranks must run the same program on the same checkpoint"));
  }
}

void PlanBroadcast::update(PrecisionPlan& plan, const mpi::Communicator& ranks, const LayerWeights& weights,
                           const std::function<void(const PushDowns& push_downs)>& decide) {
  const SharedPushDown shared(ranks, weights);
  mpi::Ending ending;
  Notice notice;
  if (ranks.rank() == 0) {
    ending = mpi::attempt([&] {
      decide([&](const std::vector<PushDownJob>& jobs) { return ask_for(shared, ranks, jobs, weights); });
    });
    notice = {ending.code == ExitCode::done ? plan.version : kNoDecision, step_ + 1};
    broadcast(notice, ranks);
  } else {
    notice = wait_for_decision(shared, ranks);
  }
  if (notice.version == kNoDecision) {
    mpi::share_failure(ranks, ending, 0);
  }
  if (notice.version != known_) {
    std::vector<std::int64_t> wire = pack(plan);
    ranks.broadcast(std::as_writable_bytes(std::span(wire)));
    unpack(wire, plan);
    known_ = notice.version;
  }
  step_ = notice.number;
}

}  // namespace adapt
