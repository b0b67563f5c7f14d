#include <gtest/gtest.h>

#include <string>

#include "base/stopwatch.hpp"
#include "bench/timing.hpp"
#include "support/world.hpp"

namespace adapt {
namespace {

/// Keeps the processor busy.
void spin(double seconds) {
  const Stopwatch watch;
  while (watch.seconds() < seconds) {
  }
}

/// A contender that writes its name down once per repetition and counts its calls in a part.
struct Spy {
  Contender contender(std::string& order, char name) {
    return {[this, &order, name](std::int64_t count) {
              order += name;
              calls += count;
              for (std::int64_t i = 0; i < count; ++i) {
                spin(seconds);
              }
            },
            [this] {
              return std::vector<Part>{{"group", "calls", static_cast<double>(calls)}};
            }};
  }

  std::int64_t calls = 0;
  double seconds = 1e-4;  // of a call
};

TEST(TimeInTurn, ContendersAlternateAfterTheirWarmUp) {
  const mpi::Communicator& ranks = test::world();
  std::string order;
  Spy first;
  Spy second;
  const auto timings =
      time_in_turn({first.contender(order, 'a'), second.contender(order, 'b')}, {3, 2e-3}, ranks);
  ASSERT_EQ(timings.size(), 2U);
  const std::size_t warm_up = order.size() - 6;
  EXPECT_EQ(order.substr(warm_up), "ababab");
  const std::size_t second_warm_up = order.find('b');
  EXPECT_GE(second_warm_up, 2U) << "the first call and at least one that is timed";
  EXPECT_EQ(order.substr(0, warm_up),
            std::string(second_warm_up, 'a') + std::string(warm_up - second_warm_up, 'b'));
}

TEST(TimeInTurn, EachRepetitionIsReportedPerCall) {
  const mpi::Communicator& ranks = test::world();
  std::string order;
  Spy spy;
  const auto timings = time_in_turn({spy.contender(order, 'a')}, {5, 2e-3}, ranks);
  ASSERT_EQ(timings[0].seconds.size(), 5U);
  for (const double seconds : timings[0].seconds) {
    EXPECT_GE(seconds, 0.99e-4) << "no call takes less than it spins";
  }
  ASSERT_EQ(timings[0].parts.size(), 1U);
  EXPECT_NEAR(timings[0].parts[0].seconds, 1, 1e-6) << "one unit for each call, whatever the ranks";
}

TEST(TimeInTurn, AllRanksMakeTheSameCalls) {
  const mpi::Communicator& ranks = test::world();
  std::string order;
  Spy spy;
  spy.seconds = 1e-4 / (1 + ranks.rank());
  time_in_turn({spy.contender(order, 'a')}, {2, 1e-3}, ranks);
  std::vector<std::int64_t> calls = {spy.calls, -spy.calls};
  ranks.maximum(calls);
  EXPECT_EQ(calls[0], -calls[1]) << "or a collective call would wait for ever";
}

TEST(TimeInTurn, TheSlowestRankCounts) {
  const mpi::Communicator& ranks = test::world();
  const bool slow = ranks.rank() == ranks.size() - 1;
  const Contender contender = {[slow](std::int64_t calls) {
                                 for (std::int64_t i = 0; i < calls; ++i) {
                                   spin(slow ? 2e-3 : 1e-5);
                                 }
                               },
                               {}};
  const auto timings = time_in_turn({contender}, {3, 4e-3}, ranks);
  for (const double seconds : timings[0].seconds) {
    EXPECT_GE(seconds, 1.99e-3);
  }
}

}  // namespace
}  // namespace adapt
