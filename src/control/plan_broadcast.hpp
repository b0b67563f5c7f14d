#pragma once

#include <cstdint>
#include <functional>

#include "control/shared_push_down.hpp"
#include "mpi/communicator.hpp"
#include "numerics/plan.hpp"
#include "precision/policy.hpp"

namespace adapt {

/// Keeps every rank at rank 0's precision plan.
class PlanBroadcast {
 public:
  /// All ranks compute step `step` with a plan of this version.
  PlanBroadcast(std::int64_t version, std::int64_t step) : known_(version), step_(step) {}

  /// Throws Failure unless `plan` and `step` are what this rank was told last: the plan's version, and the
  /// step from which on it counts. To be called by every rank before it computes a step.
  void check(const PrecisionPlan& plan, std::int64_t step) const;

  /// At the end of a step: runs `decide` on rank 0, which may change its `plan`, and brings that plan to all
  /// for the step that follows (collective; `per_tensor`, a setting of the run, is not sent). One message of
  /// 16 bytes while the version stays, a second one only when it has changed. `decide` is given what lets
  /// the other ranks help with PushDowns on `weights`: a message of 16 bytes, one with the jobs, and the
  /// results. If `decide` throws, all ranks throw the same mpi::SharedError.
  void update(PrecisionPlan& plan, const mpi::Communicator& ranks, const LayerWeights& weights,
              const std::function<void(const PushDowns& push_downs)>& decide);

 private:
  std::int64_t known_;  // version that all ranks have
  std::int64_t step_;   // that it was told for
};

}  // namespace adapt
