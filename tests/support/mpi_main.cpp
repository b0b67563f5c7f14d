// main() of every MPI test program: all ranks run all tests, and each failure counts, wherever it happens.

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/isolated.hpp"
#include "support/world.hpp"

namespace {

/// A rank that left a test early leaves the others waiting in a collective call: the alarm ends them.
constexpr unsigned kWatchdogSeconds = 100;

const adapt::mpi::Communicator* all_ranks = nullptr;

}  // namespace

const adapt::mpi::Communicator& adapt::test::world() { return *all_ranks; }

int main(int argc, char** argv) {
  adapt::serve_isolated(argc, argv);
  const adapt::mpi::Session session(&argc, &argv);
  const adapt::mpi::Communicator ranks = adapt::mpi::Communicator::world();
  all_ranks = &ranks;
  testing::InitGoogleTest(&argc, argv);
  // One rank tells of every test, the others of failures only.
  GTEST_FLAG_SET(brief, ranks.rank() != 0);
  alarm(kWatchdogSeconds);
  return RUN_ALL_TESTS();
}
