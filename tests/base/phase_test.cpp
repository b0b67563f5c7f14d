#include "base/phase.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace adapt {
namespace {

TEST(Phase, ItsBeginningIsASignOfLifeAndSaysWhere) {
  phase::at_step(0);
  const std::uint64_t before = phase::place().signs;
  phase::begin("load");
  EXPECT_EQ(phase::place().signs, before + 1);
  EXPECT_EQ(phase::describe(phase::place()), "phase load before the first step");
  phase::at_step(3);
  phase::begin("forward");
  EXPECT_EQ(phase::describe(phase::place()), "phase forward of step 3");
  EXPECT_EQ(phase::place().signs, before + 2);
}

TEST(Phase, KeepsTheNameOfItsScopeWhenThatHasEnded) {
  {
    const phase::Scope scope("checkpoint");
    EXPECT_NE(phase::place().phase, "checkpoint.write");
    phase::begin("write");
    EXPECT_EQ(phase::place().phase, "checkpoint.write");
  }
  EXPECT_EQ(phase::place().phase, "checkpoint.write");
  phase::begin("data");
  EXPECT_EQ(phase::place().phase, "data");
}

TEST(Phase, GoesOnFromAnyThread) {
  phase::begin("read");
  const std::uint64_t before = phase::place().signs;
  std::thread([] { phase::go_on(); }).join();
  EXPECT_EQ(phase::place().signs, before + 1);
  EXPECT_EQ(phase::place().phase, "read");
}

}  // namespace
}  // namespace adapt
