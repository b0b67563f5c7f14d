// Why runs ended: what programs, launchers, Slurm and the kernel say.

#include "experiment/reason.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "base/memory.hpp"
#include "support/scratch.hpp"

namespace adapt {
namespace {

TEST(Reasons, OfWhatTheProgramSays) {
  EXPECT_EQ(reason_said(ExitCode::failed, Cause::memory), Reason::oom);
  EXPECT_EQ(reason_said(ExitCode::failed, Cause::numbers), Reason::nan);
  EXPECT_EQ(reason_said(ExitCode::bad_input, Cause::task), Reason::input);
  EXPECT_EQ(reason_said(ExitCode::failed, Cause::task), Reason::bug);
}

TEST(Reasons, OfWhatLaunchersPrint) {
  const auto of = [](const char* line) { return reason_seen({"a line", line}, 1, false); };
  EXPECT_EQ(
      of("slurmstepd: error: Detected 1 oom_kill event in StepId=12.0. Some of the step tasks have been "
         "OOM Killed."),
      Reason::oom);
  EXPECT_EQ(of("srun: error: n1: task 0: Out Of Memory"), Reason::oom);
  EXPECT_EQ(
      of("slurmstepd: error: *** STEP 1.0 ON n1 CANCELLED AT 2026-01-01T00:00:00 DUE TO TIME LIMIT ***"),
      Reason::timeout);
  EXPECT_EQ(of("srun: error: Node failure on n1"), Reason::node);
  EXPECT_EQ(
      of("slurmstepd: error: *** STEP 1.0 ON n1 CANCELLED AT 2026-01-01T00:00:00 DUE TO NODE FAILURE ***"),
      Reason::node);
  EXPECT_EQ(of("srun: error: n1: task 0: Killed"), Reason::unknown);
}

TEST(Reasons, ASigkillIsOutOfMemoryByTheKernelsWordOnly) {
  EXPECT_EQ(reason_seen({}, 137, true), Reason::oom);
  EXPECT_EQ(reason_seen({}, 137, false), Reason::unknown);
  EXPECT_EQ(reason_seen({}, 139, true), Reason::unknown) << "another one's";
}

TEST(Reasons, OfStatesOfSlurm) {
  EXPECT_EQ(reason_of_state("OUT_OF_MEMORY"), Reason::oom);
  EXPECT_EQ(reason_of_state("TIMEOUT"), Reason::timeout);
  EXPECT_EQ(reason_of_state("NODE_FAIL"), Reason::node);
  EXPECT_EQ(reason_of_state("FAILED"), Reason::unknown);
}

TEST(Reasons, TheKernelCountsWhatItKills) {
  const test::Scratch scratch;
  EXPECT_EQ(killed_for_memory(scratch.path()), 0);
  std::filesystem::create_directory(scratch.path() / "proc");
  std::ofstream(scratch.path() / "proc" / "vmstat") << "nr_free_pages 7\noom_kill 3\n";
  EXPECT_EQ(killed_for_memory(scratch.path()), 3);
}

}  // namespace
}  // namespace adapt
