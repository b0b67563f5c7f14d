#include <gtest/gtest.h>

#include <functional>
#include <new>

#include "base/log.hpp"
#include "base/phase.hpp"
#include "mpi/together.hpp"
#include "support/world.hpp"

namespace adapt::mpi {
namespace {

/// As all ranks are told what rank `failing` said.
std::string as_told_of(int failing, const std::string& message) {
  const std::string name = test::world().broadcast(name_of_rank(test::world()), failing);
  EXPECT_TRUE(name.starts_with(concat("rank ", failing, " (host "))) << name;
  return failing == 0 ? message : concat(name, ": ", message);
}

/// What all ranks are told by `call`; "" when it went well.
Ending told_by(const std::function<void()>& call) {
  try {
    call();
  } catch (const SharedError& error) {
    return {error.code(), error.what()};
  }
  return {};
}

/// What together() says to `work`. All ranks must get the same.
Ending outcome_of(const std::function<void()>& work) {
  return told_by([&] { together(test::world(), work); });
}

TEST(Together, NothingHappensWithoutAnError) {
  int calls = 0;
  const Ending outcome = outcome_of([&] { ++calls; });
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(outcome.code, ExitCode::done);
  EXPECT_EQ(outcome.message, "");
}

TEST(Together, AnErrorOfAnyOneRankReachesAll) {
  for (int failing = 0; failing < test::world().size(); ++failing) {
    const Ending outcome = outcome_of([&] {
      if (test::world().rank() == failing) {
        throw BadInput(concat("bad file seen by rank ", failing));
      }
    });
    EXPECT_EQ(outcome.message, as_told_of(failing, concat("bad file seen by rank ", failing)));
    EXPECT_EQ(outcome.code, ExitCode::bad_input);
  }
}

TEST(Together, OfSeveralErrorsTheLowestRanksCounts) {
  const int first = test::world().size() / 2;
  const Ending outcome = outcome_of([&] {
    if (test::world().rank() == first) {
      throw Failure(std::string(5000, 'x'));
    }
    if (test::world().rank() > first) {
      throw BadInput(concat("rank ", test::world().rank()));
    }
  });
  EXPECT_EQ(outcome.message, as_told_of(first, std::string(5000, 'x')));
  EXPECT_EQ(outcome.code, ExitCode::failed);
}

TEST(Together, EveryCodeAndForeignErrorsArrive) {
  EXPECT_EQ(outcome_of([] { throw Error(ExitCode::stopped, "later"); }).code, ExitCode::stopped);
  const Ending foreign = outcome_of([] { throw std::runtime_error("from a library"); });
  EXPECT_EQ(foreign.code, ExitCode::failed);
  EXPECT_EQ(foreign.message, "from a library");
}

TEST(Together, OfMemoryThatEndsItNamesRankAndPhase) {
  configure_log(test::world().rank(), LogLevel::error);
  const int failing = test::world().size() - 1;
  const Ending outcome = outcome_of([&] {
    phase::begin("load");
    if (test::world().rank() == failing) {
      throw std::bad_alloc();
    }
  });
  EXPECT_NE(outcome.message.find(concat("out of memory on rank ", failing, " in phase load")),
            std::string::npos)
      << outcome.message;
  EXPECT_EQ(outcome.code, ExitCode::failed);
}

TEST(Together, WorksAgainAfterAnError) {
  EXPECT_EQ(outcome_of([] { throw BadInput("once"); }).message, "once");
  EXPECT_EQ(outcome_of([] {}).message, "");
}

TEST(Alike, ReturnsWhatWentWell) {
  int calls = 0;
  alike(test::world(), [&] { ++calls; });
  EXPECT_EQ(calls, 1);
}

TEST(Alike, AnErrorOfAllRanksIsToldOnce) {
  const Ending ending = told_by(
      [] { alike(test::world(), [] { throw BadInput(concat("seen by rank ", test::world().rank())); }); });
  EXPECT_EQ(ending.message, "seen by rank 0");
  EXPECT_EQ(ending.code, ExitCode::bad_input);
  EXPECT_EQ(told_by([] { alike(test::world(), [] { throw std::bad_alloc(); }); }).code, ExitCode::failed);
}

TEST(Alike, AnErrorOfOneRankReachesTheOthersInTheirNextTogether) {
  for (int failing = 0; failing < test::world().size(); ++failing) {
    int past = 0;
    const Ending ending = told_by([&] {
      alike(test::world(), [&] {
        if (test::world().rank() == failing) {
          throw Failure(concat("only on rank ", failing));
        }
      });
      ++past;
      together(test::world(), [] {});
      ++past;
    });
    EXPECT_EQ(ending.message, as_told_of(failing, concat("only on rank ", failing)));
    EXPECT_EQ(past, test::world().rank() == failing ? 0 : 1);
  }
}

}  // namespace
}  // namespace adapt::mpi
