#include <gtest/gtest.h>
#include <mpi.h>

#include <utility>

#include "base/error.hpp"
#include "exchange/plan_broadcast.hpp"
#include "mpi/together.hpp"

namespace {

/// What this rank broadcast since the last look.
struct Traffic {
  int messages = 0;
  int bytes = 0;
};
Traffic traffic;

Traffic take_traffic() { return std::exchange(traffic, {}); }

}  // namespace

// MPI's profiling interface: the program's own MPI_Bcast counts and calls the real one.
extern "C" int MPI_Bcast(void* data, int count, MPI_Datatype type, int root, MPI_Comm communicator) {
  int size = 0;
  MPI_Type_size(type, &size);
  ++traffic.messages;
  traffic.bytes += count * size;
  return PMPI_Bcast(data, count, type, root, communicator);
}

namespace adapt {
namespace {

const mpi::Communicator kRanks;

PrecisionPlan start() {
  PrecisionPlan plan;
  plan.layers = {{FixedFormat{8, 4}, FixedFormat{8, 4}, FixedFormat{8, 4}, FixedFormat{8, 4}}, {}};
  return plan;
}

PrecisionPlan later() {
  PrecisionPlan plan;
  plan.version = 3;
  plan.final_phase = 54;
  plan.layers = {
      {FixedFormat{12, -5}, FixedFormat{32, 126}, std::nullopt, FixedFormat{2, 64}},
      {std::nullopt, std::nullopt, FixedFormat{9, 3}, std::nullopt, FixedFormat{7, 1}, FixedFormat{16, 40}}};
  return plan;
}

void no_decision() {}

TEST(PlanBroadcast, SmallMessageWhileNothingChanges) {
  PlanBroadcast broadcast(0);
  PrecisionPlan plan = start();
  take_traffic();
  for (int step = 0; step < 3; ++step) {
    broadcast.update(plan, kRanks, no_decision);
    const Traffic seen = take_traffic();
    EXPECT_EQ(seen.messages, 1);
    EXPECT_EQ(seen.bytes, 8);
    EXPECT_EQ(plan, start());
  }
}

TEST(PlanBroadcast, AChangeOfRank0ReachesAllOnce) {
  PlanBroadcast broadcast(0);
  PrecisionPlan plan = start();
  int decisions = 0;
  take_traffic();
  broadcast.update(plan, kRanks, [&] {
    plan = later();
    ++decisions;
  });
  EXPECT_EQ(decisions, kRanks.rank() == 0 ? 1 : 0);
  EXPECT_EQ(plan, later());
  EXPECT_EQ(take_traffic().messages, 2);
  broadcast.update(plan, kRanks, no_decision);
  EXPECT_EQ(plan, later());
  EXPECT_EQ(take_traffic().messages, 1);
}

TEST(PlanBroadcast, AFailureOfRank0ReachesAll) {
  PlanBroadcast broadcast(0);
  PrecisionPlan plan = start();
  for (int time = 0; time < 2; ++time) {
    try {
      broadcast.update(plan, kRanks, [] { throw BadInput(concat("no plan on rank ", kRanks.rank())); });
      ADD_FAILURE() << "expected SharedError";
    } catch (const mpi::SharedError& error) {
      EXPECT_STREQ(error.what(), "no plan on rank 0");
      EXPECT_EQ(error.code(), ExitCode::bad_input);
    }
    EXPECT_EQ(plan, start());
  }
  broadcast.update(plan, kRanks, [&] { plan = later(); });
  EXPECT_EQ(plan, later());
}

TEST(PlanBroadcast, ARankThatWentItsOwnWayIsNoticed) {
  PlanBroadcast broadcast(0);
  if (kRanks.rank() == 0) {
    return;  // its plan is the one that counts
  }
  PrecisionPlan plan = later();
  EXPECT_THROW(broadcast.update(plan, kRanks, no_decision), Failure);
}

}  // namespace
}  // namespace adapt
