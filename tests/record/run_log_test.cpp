#include "record/run_log.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/sha256.hpp"
#include "hdf5/handle.hpp"
#include "record/run_file.hpp"
#include "sample_run.hpp"
#include "support/scratch.hpp"

namespace adapt {
namespace {

using test::Scratch;

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

RunLog sample_log(const std::filesystem::path& run_dir) {
  return RunLog(run_dir, "", test::sample_provenance(), test::sample_layers());
}

TEST(RunLog, TheFirstFileIsCompleteAndEmpty) {
  const Scratch scratch;
  const auto run_dir = scratch.path() / "a" / "b";
  const RunLog log = sample_log(run_dir);
  const RunFile run(run_dir);
  EXPECT_EQ(run.configuration(), "");
  EXPECT_EQ(run.layers(), test::sample_layers());
  EXPECT_TRUE(run.steps().empty());
  EXPECT_TRUE(run.layer_rows("fc").empty());
  EXPECT_TRUE(run.switches().empty());
  EXPECT_TRUE(run.model().empty());
  EXPECT_FALSE(run.done());
}

TEST(RunLog, RowsAreOnDiskAfterFlushAndNotBefore) {
  const Scratch scratch;
  RunLog log = sample_log(scratch.path());
  test::append_sample_rows(log, 1, 7);
  EXPECT_TRUE(RunFile(scratch.path()).steps().empty());
  log.flush();
  EXPECT_EQ(RunFile(scratch.path()).steps().size(), 7U);
  test::append_sample_rows(log, 8, 12);
  log.flush();
  EXPECT_EQ(RunFile(scratch.path()).steps().size(), 12U);
  EXPECT_EQ(RunFile(scratch.path()).layer_rows("conv0").size(), 12U);
}

TEST(RunLog, DoneHoldsTheDigestOfTheFileAndComesLast) {
  const Scratch scratch;
  test::write_sample_run(scratch.path());
  EXPECT_EQ(text_of(scratch.path() / "DONE"),
            sha256(read_file(scratch.path() / "run.h5", kSmallFile)) + "  run.h5\n");
  EXPECT_TRUE(RunFile(scratch.path()).done());
}

TEST(RunLog, ANewLogRemovesWhatAnEarlierProcessLeft) {
  const Scratch scratch;
  test::write_sample_run(scratch.path());
  std::ofstream(scratch.path() / "run.h5.tmp.4711") << "half a file";
  std::ofstream(scratch.path() / "notes.txt") << "mine";
  const RunLog log = sample_log(scratch.path());
  EXPECT_FALSE(RunFile(scratch.path()).done());
  EXPECT_FALSE(std::filesystem::exists(scratch.path() / "run.h5.tmp.4711"));
  EXPECT_TRUE(std::filesystem::exists(scratch.path() / "notes.txt"));
}

TEST(RunLog, FinishingWithoutAModelFails) {
  const Scratch scratch;
  RunLog log = sample_log(scratch.path());
  EXPECT_THROW(log.finish(), Failure);
  EXPECT_FALSE(RunFile(scratch.path()).done());
  log.write_model({});
  EXPECT_NO_THROW(log.finish());
}

TEST(RunLog, ModelAndSummaryAreReplaced) {
  const Scratch scratch;
  RunLog log = sample_log(scratch.path());
  log.write_model(test::sample_model());
  log.write_summary({{"a", 1.0}, {"b", 2.0}});
  const std::vector<ModelTensor> other = {{"x", {1}, std::nullopt, {}, {3.0F}}};
  log.write_model(other);
  log.write_summary({{"c", 3.0}});
  log.flush();
  const RunFile run(scratch.path());
  ASSERT_EQ(run.model().size(), 1U);
  EXPECT_EQ(run.model()[0].name, "x");
  EXPECT_EQ(run.summary(), (std::map<std::string, double>{{"c", 3.0}}));
}

TEST(RunLog, WhatCannotBeStoredFailsWithThePath) {
  const Scratch scratch;
  RunLog log = sample_log(scratch.path());
  const auto refuses = [&](const ModelTensor& tensor) {
    try {
      log.write_model(std::span(&tensor, 1));
      return false;
    } catch (const Failure& failure) {
      return std::string(failure.what()).find("run.h5") != std::string::npos;
    }
  };
  EXPECT_TRUE(refuses({"out of range", {1}, FixedFormat{8, 0}, {128}, {}}));
  EXPECT_TRUE(refuses({"out of range", {1}, FixedFormat{8, 0}, {-129}, {}}));
  EXPECT_TRUE(refuses({"shape", {2, 2}, std::nullopt, {}, {1, 2, 3}}));
  EXPECT_TRUE(refuses({"word length", {1}, FixedFormat{33, 0}, {0}, {}}));
  EXPECT_TRUE(refuses({"a/b", {1}, std::nullopt, {}, {0}}));
  EXPECT_FALSE(refuses({"fine", {1}, FixedFormat{32, 0}, {std::numeric_limits<std::int32_t>::min()}, {}}));
  EXPECT_THROW(log.append(3, LayerRecord{}), Failure);
  EXPECT_THROW(log.append(-1, LayerRecord{}), Failure);
  EXPECT_THROW(log.append(test::sample_switch(1, 3)), Failure);
}

TEST(RunLog, LayersThatCannotBeGroupsFail) {
  const Scratch scratch;
  const auto make = [&](const std::vector<LoggedLayer>& layers) {
    const RunLog log(scratch.path(), "", {}, layers);
  };
  EXPECT_THROW(make({{"a/b", 1, 1}}), Failure);
  EXPECT_THROW(make({{"", 1, 1}}), Failure);
  EXPECT_THROW(make({{"a", 1, 1}, {"a", 1, 1}}), Failure);
  EXPECT_NO_THROW(make({}));
}

TEST(RunLog, AFolderThatCannotBeMadeFails) {
  const Scratch scratch;
  std::ofstream(scratch.path() / "file") << "x";
  EXPECT_THROW(sample_log(scratch.path() / "file" / "run"), Failure);
}

TEST(RunLog, AContinuedRunKeepsRowsUpToTheCheckpoint) {
  const Scratch scratch;
  test::write_sample_run(scratch.path());
  {
    const RunFile earlier(scratch.path());
    RunLog log(scratch.path(), "", {}, test::sample_layers(), Continuation{earlier, 9, 1});
    EXPECT_EQ(RunFile(scratch.path()).steps().size(), 9U) << "at once: a crash now must not lose them";
    EXPECT_EQ(RunFile(scratch.path()).switches().size(), 1U);
    EXPECT_FALSE(RunFile(scratch.path()).done());
    test::append_sample_rows(log, 10, 12);
    log.append(test::sample_epoch(2));
    log.write_model(test::sample_model());
    log.finish();
  }
  const Scratch straight;
  test::write_sample_run(straight.path());
  EXPECT_EQ(first_difference(RunFile(scratch.path()), RunFile(straight.path())), "");
}

TEST(RunLog, ARunWithOtherLayersCannotGoOn) {
  const Scratch scratch;
  test::write_sample_run(scratch.path());
  const RunFile earlier(scratch.path());
  EXPECT_THROW(RunLog(scratch.path(), "", {}, {{"fc", 1, 1}}, Continuation{earlier, 9, 1}), BadInput);
  EXPECT_TRUE(RunFile(scratch.path()).done()) << "a refused continuation must leave the run alone";
}

TEST(RunLog, NothingOfHdf5StaysOpen) {
  const std::int64_t before = hdf5::open_objects();
  const Scratch scratch;
  test::write_sample_run(scratch.path());
  static_cast<void>(RunFile(scratch.path()).model());
  EXPECT_EQ(hdf5::open_objects(), before);
}

}  // namespace
}  // namespace adapt
