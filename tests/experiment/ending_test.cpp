// What an attempt's report, DONE and exit code say together.

#include "experiment/ending.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "experiment/report.hpp"
#include "experiment/stored_run.hpp"
#include "support/scratch.hpp"

namespace adapt {
namespace {

class EndingOf : public testing::Test {
 protected:
  EndingOf() { store_.prepare(run_, test::stored_configuration(1)); }

  [[nodiscard]] EndedAttempt of(int exit_code, bool stop_requested = false) const {
    return judge(store_, run_, {"srun", "adapt"}, {}, exit_code, stop_requested);
  }
  [[nodiscard]] Ending ending(int exit_code, bool stop_requested = false) const {
    return of(exit_code, stop_requested).ending;
  }
  void print(const std::string& text) const { std::ofstream(store_.output(run_)) << text; }

  test::Scratch scratch_;
  RunStore store_{scratch_.path() / "store"};
  std::string run_ = store_identity(test::stored_configuration(1));
};

TEST_F(EndingOf, WithoutAWordOfTheProgramTheMachineIsToBlame) {
  for (const int code : {0, 1, 2, 42, 126, 127, 132, 137}) {
    EXPECT_EQ(ending(code), Ending::hindered) << code;
  }
  EXPECT_EQ(ending(75), Ending::stopped);
  EXPECT_EQ(ending(1, true), Ending::stopped);
  EXPECT_EQ(of(127).message, "cannot start srun");
  print("There are not enough slots\n\nsrun: error: no such step\nsrun: error: it failed\nlast words\n");
  const EndedAttempt ended = of(1);
  EXPECT_EQ(ended.message, "no such step");
  EXPECT_EQ(ended.words, (std::vector<std::string>{"There are not enough slots", "srun: error: no such step",
                                                   "srun: error: it failed", "last words"}));
}

TEST_F(EndingOf, OnceBegunItWasInterruptedUnlessTheProgramBlamesTheMachine) {
  report_begin(store_.report(run_));
  for (const int code : {0, 42, 132, 137}) {
    EXPECT_EQ(ending(code), Ending::interrupted) << code;
  }
  for (const int code : {1, 2, 127}) {
    EXPECT_EQ(ending(code), Ending::hindered) << code;
  }
  EXPECT_EQ(ending(75), Ending::stopped);
  print("adapt: error: cannot write run.h5: No space left on device\nsrun: error: task 0: Exited\n");
  EXPECT_EQ(of(1).message, "cannot write run.h5: No space left on device");
  print("adapt: rank 1: error: stuck: rank 1 (host n2) has given no sign of life\nMPI_ABORT was invoked\n");
  EXPECT_EQ(ending(1), Ending::interrupted);
  EXPECT_EQ(of(1).message, "exit code 1: stuck: rank 1 (host n2) has given no sign of life");
  print("srun: error: Node failure on n1\n");
  EXPECT_EQ(of(0).message, "it ended with exit code 0, but without DONE: Node failure on n1");
}

TEST_F(EndingOf, TheProgramsOwnWordCountsWhateverTheExitCode) {
  report_failure(store_.report(run_), {2, "no \"data\""});
  for (const int code : {0, 1, 2, 42, 75, 137}) {
    const EndedAttempt ended = of(code, code == 75);
    EXPECT_EQ(ended.ending, Ending::failed) << code;
    EXPECT_EQ(ended.exit_code, 2);
    EXPECT_EQ(ended.message, "no \"data\"");
  }
  test::store_run(store_, test::stored_configuration(1));
  EXPECT_EQ(ending(137), Ending::done);
}

TEST_F(EndingOf, WhatThisMachineCannotDoIsNoFailure) {
  report_failure(store_.report(run_), {2, "too little memory", Cause::machine});
  for (const int code : {0, 1, 2, 42}) {
    EXPECT_EQ(ending(code), Ending::unfit) << code;
    EXPECT_EQ(of(code).message, "too little memory");
  }
}

TEST_F(EndingOf, HalfAReportIsNone) {
  std::ofstream(store_.report(run_)) << "{\"exit_code\": ";
  EXPECT_EQ(ending(0), Ending::hindered);
  clear_report(store_.report(run_));
  clear_report(store_.report(run_));
  EXPECT_FALSE(read_report(store_.report(run_)).begun);
}

}  // namespace
}  // namespace adapt
