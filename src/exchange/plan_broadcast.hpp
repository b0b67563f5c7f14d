#pragma once

#include <cstdint>
#include <functional>

#include "mpi/communicator.hpp"
#include "numerics/plan.hpp"

namespace adapt {

/// Keeps every rank at rank 0's precision plan.
class PlanBroadcast {
 public:
  /// All ranks start with a plan of this version.
  explicit PlanBroadcast(std::int64_t version) : known_(version) {}

  /// Runs `decide` on rank 0, which may change its `plan`, and brings that plan to all (collective;
  /// `per_tensor`, a setting of the run, is not sent). One message of 8 bytes while the version stays, a
  /// second one only when it has changed. If `decide` throws, all ranks throw the same mpi::SharedError.
  /// Throws Failure where this rank's plan is not the one that all were told last.
  void update(PrecisionPlan& plan, const mpi::Communicator& ranks, const std::function<void()>& decide);

 private:
  std::int64_t known_;  // version that all ranks have
};

}  // namespace adapt
