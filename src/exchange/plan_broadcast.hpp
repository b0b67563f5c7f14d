#pragma once

#include <cstdint>

#include "mpi/communicator.hpp"
#include "numerics/plan.hpp"

namespace adapt {

/// Keeps every rank at rank 0's precision plan.
class PlanBroadcast {
 public:
  /// All ranks start with a plan of this version.
  explicit PlanBroadcast(std::int64_t version) : known_(version) {}

  /// Brings `plan` to rank 0's (collective; `per_tensor`, a setting of the run, is not sent). One message of
  /// 8 bytes while the version stays, a second one only when it has changed. Throws Failure where this
  /// rank's plan is not the one that all were told last.
  void update(PrecisionPlan& plan, const mpi::Communicator& ranks);

 private:
  std::int64_t known_;  // version that all ranks have
};

}  // namespace adapt
