#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <random>
#include <stdexcept>

#include "record/run_file.hpp"
#include "record/run_log.hpp"
#include "sample_run.hpp"
#include "support/scratch.hpp"

namespace adapt {
namespace {

constexpr std::int64_t kStepsPerFlush = 3;

/// Appends and flushes until it is killed; after each flush writes the number of steps on disk to `pipe`.
[[noreturn]] void write_for_ever(const std::filesystem::path& run_dir, int pipe) {
  RunLog log(run_dir, "", {}, test::sample_layers());
  for (std::int64_t steps = 0;; steps += kStepsPerFlush) {
    if (::write(pipe, &steps, sizeof(steps)) != sizeof(steps)) {
      ::_exit(1);
    }
    test::append_sample_rows(log, steps + 1, steps + kStepsPerFlush);
    log.flush();
  }
}

/// Forks a writer, kills it `microseconds` after its report number `reports`, returns the last number of
/// steps that it reported (-1: none).
std::int64_t steps_before_kill(const std::filesystem::path& run_dir, unsigned reports,
                               unsigned microseconds) {
  std::array<int, 2> ends = {-1, -1};
  if (::pipe(ends.data()) != 0) {
    throw std::runtime_error("pipe failed");
  }
  const pid_t child = ::fork();
  if (child == 0) {
    write_for_ever(run_dir, ends[1]);
  }
  ::close(ends[1]);
  std::int64_t last = -1;
  const auto next_report = [&] { return ::read(ends[0], &last, sizeof(last)) == sizeof(last); };
  for (unsigned i = 0; i < reports; ++i) {
    EXPECT_TRUE(next_report()) << "the writer ended by itself";
  }
  ::usleep(microseconds);
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself";
  while (next_report()) {
  }
  ::close(ends[0]);
  return last;
}

TEST(RunLogKill, TheFileIsCompleteUpToTheLastFlushAtAnyMoment) {
  std::mt19937 random(1);
  for (int round = 0; round < 40; ++round) {
    const test::Scratch scratch;
    const std::int64_t reported = steps_before_kill(scratch.path(), random() % 8, random() % 20000);
    const bool before_first_file = reported < 0;
    if (before_first_file) {
      continue;
    }
    const RunFile run(scratch.path());
    const auto steps = run.steps();
    // A kill between the replacement of the file and the report leaves one flush more.
    EXPECT_TRUE(std::ssize(steps) == reported || std::ssize(steps) == reported + kStepsPerFlush)
        << steps.size() << " steps on disk, " << reported << " reported";
    for (std::size_t i = 0; i < steps.size(); ++i) {
      ASSERT_EQ(steps[i].loss, test::sample_step(static_cast<std::int64_t>(i) + 1).loss);
    }
    EXPECT_EQ(run.layer_rows("fc").size(), steps.size());
    EXPECT_EQ(run.switches().size(), steps.size() / 5);
  }
}

}  // namespace
}  // namespace adapt
