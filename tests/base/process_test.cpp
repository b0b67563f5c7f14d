// Children: their end, their output, and telling processes apart.

#include "base/process.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "base/error.hpp"
#include "base/file.hpp"
#include "support/scratch.hpp"

namespace adapt {
namespace {

int wait_for(ChildProcess& child) {
  std::optional<int> code;
  while (!(code = child.poll())) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return *code;
}

std::string content(const std::filesystem::path& path) { return read_text(path, kSmallFile); }

TEST(Process, ThisOneRunsUnderItsStart) {
  const ProcessId own = process_with(::getpid());
  EXPECT_FALSE(own.start.empty());
  EXPECT_TRUE(is_running(own));
  EXPECT_FALSE(is_running({own.number, own.start + "1"}));
  EXPECT_FALSE(is_running({0, ""}));
}

TEST(ChildProcess, AppendsItsOutputAndGivesItsExitCode) {
  const test::Scratch scratch;
  const std::filesystem::path output = scratch.path() / "out";
  ChildProcess first({"sh", "-c", "echo one; exit 3"}, output);
  EXPECT_EQ(wait_for(first), 3);
  ChildProcess second({"sh", "-c", "echo two >&2; kill -TERM $$"}, output);
  EXPECT_EQ(wait_for(second), 128 + SIGTERM);
  EXPECT_EQ(content(output), "one\ntwo\n");
  EXPECT_FALSE(is_running(second.id()));
}

TEST(ChildProcess, SignalsReachIt) {
  const test::Scratch scratch;
  ChildProcess child({"sh", "-c", "trap 'exit 75' USR1; echo ready; while :; do sleep 0.01; done"},
                     scratch.path() / "out");
  while (!std::filesystem::exists(scratch.path() / "out") || content(scratch.path() / "out").empty()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  EXPECT_TRUE(is_running(child.id()));
  EXPECT_EQ(child.poll(), std::nullopt);
  child.signal(SIGUSR1);
  EXPECT_EQ(wait_for(child), 75);
}

TEST(ChildProcess, WithoutAProgramOrAPlaceForItsOutput) {
  const test::Scratch scratch;
  ChildProcess missing({"/no/such/program"}, scratch.path() / "out");
  EXPECT_EQ(wait_for(missing), 127);
  EXPECT_THROW(ChildProcess({"true"}, scratch.path() / "missing" / "out"), Failure);
}

TEST(Capture, KeepsOutputAndErrorApart) {
  const Captured result = capture({"sh", "-c", "echo out; echo err >&2; exit 4"});
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_EQ(result.output, "out\n");
  EXPECT_EQ(result.error, "err\n");
  EXPECT_EQ(capture({"/no/such/program"}).exit_code, 127);
}

}  // namespace
}  // namespace adapt
