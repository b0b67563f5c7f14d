#include "mpi/together.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace adapt::mpi {
namespace {

const Communicator kRanks;

/// What together() says to `work`; "" when it went well. All ranks must get the same.
struct Outcome {
  std::string message;
  ExitCode code = ExitCode::done;
};

Outcome outcome_of(const std::function<void()>& work) {
  try {
    together(kRanks, work);
  } catch (const SharedError& error) {
    return {error.what(), error.code()};
  }
  return {};
}

TEST(Together, NothingHappensWithoutAnError) {
  int calls = 0;
  const Outcome outcome = outcome_of([&] { ++calls; });
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(outcome.code, ExitCode::done);
  EXPECT_EQ(outcome.message, "");
}

TEST(Together, AnErrorOfAnyOneRankReachesAll) {
  for (int failing = 0; failing < kRanks.size(); ++failing) {
    const Outcome outcome = outcome_of([&] {
      if (kRanks.rank() == failing) {
        throw BadInput(concat("bad file seen by rank ", failing));
      }
    });
    EXPECT_EQ(outcome.message, concat("bad file seen by rank ", failing));
    EXPECT_EQ(outcome.code, ExitCode::bad_input);
  }
}

TEST(Together, OfSeveralErrorsTheLowestRanksCounts) {
  const int first = kRanks.size() / 2;
  const Outcome outcome = outcome_of([&] {
    if (kRanks.rank() == first) {
      throw Failure(std::string(5000, 'x'));
    }
    if (kRanks.rank() > first) {
      throw BadInput(concat("rank ", kRanks.rank()));
    }
  });
  EXPECT_EQ(outcome.message, std::string(5000, 'x'));
  EXPECT_EQ(outcome.code, ExitCode::failed);
}

TEST(Together, EveryCodeAndForeignErrorsArrive) {
  EXPECT_EQ(outcome_of([] { throw Error(ExitCode::stopped, "later"); }).code, ExitCode::stopped);
  const Outcome foreign = outcome_of([] { throw std::runtime_error("from a library"); });
  EXPECT_EQ(foreign.code, ExitCode::failed);
  EXPECT_EQ(foreign.message, "from a library");
}

TEST(Together, WorksAgainAfterAnError) {
  EXPECT_EQ(outcome_of([] { throw BadInput("once"); }).message, "once");
  EXPECT_EQ(outcome_of([] {}).message, "");
}

}  // namespace
}  // namespace adapt::mpi
