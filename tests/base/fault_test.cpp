#include "base/fault.hpp"

#include <gtest/gtest.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>

#include "base/error.hpp"
#include "base/phase.hpp"

namespace adapt {
namespace {

/// Arms a fault for one test.
class Armed {
 public:
  explicit Armed(const char* text, int rank = 0) {
    ::setenv("ADAPT_FAULT", text, 1);
    fault::arm(rank);
  }
  ~Armed() {
    ::unsetenv("ADAPT_FAULT");
    fault::arm(0);
  }
  Armed(const Armed&) = delete;
  Armed& operator=(const Armed&) = delete;
};

bool strikes(std::int64_t step, const char* phase) {
  phase::at_step(step);
  try {
    phase::begin(phase);
  } catch (const Failure& failure) {
    return std::string(failure.what()).find("on purpose") != std::string::npos;
  }
  return false;
}

TEST(Fault, WithoutOneNothingStrikes) {
  fault::arm(0);
  EXPECT_FALSE(strikes(1, "forward"));
  EXPECT_FALSE(strikes(1, ""));
}

TEST(Fault, StrikesInItsPhaseStepAndRank) {
  const Armed armed("fail,phase=forward,step=3,rank=1", 1);
  EXPECT_TRUE(strikes(3, "forward"));
  EXPECT_FALSE(strikes(2, "forward"));
  EXPECT_FALSE(strikes(3, "backward"));
  const Armed other("fail,phase=forward,step=3,rank=1", 0);
  EXPECT_FALSE(strikes(3, "forward"));
}

TEST(Fault, WithoutStepAndRankAny) {
  const Armed armed("fail,phase=update", 7);
  EXPECT_TRUE(strikes(1, "update"));
  EXPECT_TRUE(strikes(99, "update"));
}

TEST(Fault, FalsifiesWhereAResultCanBeWrong) {
  const Armed armed("falsify,phase=sum");
  EXPECT_TRUE(fault::falsifies("sum"));
  EXPECT_FALSE(fault::falsifies("product"));
  EXPECT_FALSE(strikes(1, "sum"));
  const Armed other("fail,phase=sum");
  EXPECT_FALSE(fault::falsifies("sum"));
}

TEST(Fault, PhasesHaveNamesInFront) {
  const Armed armed("fail,phase=checkpoint.write");
  EXPECT_FALSE(strikes(1, "write"));
  const phase::Scope scope("checkpoint");
  EXPECT_TRUE(strikes(1, "write"));
}

TEST(Fault, TextsThatAreNoneAreRefused) {
  for (const char* text :
       {"fail", "fail,phase=", "sleep,phase=x", "fail,phase=x,step=", "fail,phase=x,step=1x",
        "fail,phase=x,rank=-1", "fail,phase=x,when=now", "phase=x", ",phase=x"}) {
    EXPECT_THROW(Armed{text}, BadInput) << text;
  }
  ::unsetenv("ADAPT_FAULT");
}

TEST(FaultDeathTest, KillsAndStops) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        const Armed armed("kill,phase=x");
        phase::begin("x");
      },
      testing::KilledBySignal(SIGKILL), "");
  EXPECT_EXIT(
      {
        const Armed armed("stop,phase=x");
        phase::begin("x");
      },
      testing::KilledBySignal(SIGTERM), "");
}

TEST(Fault, SuspendsUntilItIsToldToGoOn) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const Armed armed("suspend,phase=x");
    phase::begin("x");
    ::_exit(7);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, WUNTRACED), child);
  EXPECT_TRUE(WIFSTOPPED(status));
  ::kill(child, SIGCONT);
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 7);
}

}  // namespace
}  // namespace adapt
