// States of runs as their folders show them, and the index that is made from the runs.

#include "experiment/store.hpp"

#include <gtest/gtest.h>

#include <ctime>
#include <fstream>
#include <iostream>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "experiment/claim.hpp"
#include "experiment/index.hpp"
#include "experiment/interruption.hpp"
#include "experiment/report.hpp"
#include "experiment/stored_run.hpp"
#include "support/scratch.hpp"

namespace adapt {
namespace {

class Store : public testing::Test {
 protected:
  std::string prepared(std::uint64_t seed) {
    const Configuration configuration = test::stored_configuration(seed);
    const std::string identity = store_identity(configuration);
    store_.prepare(identity, configuration);
    return identity;
  }

  std::vector<IndexEntry> index() { return read_index(store_, test::known_names()); }

  test::Scratch scratch_;
  RunStore store_{scratch_.path() / "store"};
};

TEST_F(Store, StatesFollowFromTheFolder) {
  const std::string run = prepared(1);
  EXPECT_EQ(store_.state("0123456789abcdef"), RunState::planned);
  EXPECT_EQ(store_.state(run), RunState::planned);
  {
    const auto held = HeldClaim::take(store_.folder(run));
    EXPECT_EQ(store_.state(run), RunState::running);
  }
  std::filesystem::create_directory(store_.folder(run) / "checkpoints");
  std::ofstream(store_.folder(run) / "checkpoints" / "step-000000001.tmp.7") << "half";
  EXPECT_EQ(store_.state(run), RunState::planned);
  std::ofstream(store_.folder(run) / "checkpoints" / "step-000000001") << "whole";
  EXPECT_EQ(store_.state(run), RunState::resumable);
  store_.write_failure(run, {3, "it \"broke\"", "2000-01-01T00:00:00Z", 2});
  EXPECT_EQ(store_.state(run), RunState::failed);
  {
    const auto held = HeldClaim::take(store_.folder(run));
    EXPECT_EQ(store_.state(run), RunState::running);
  }
  store_.clear_failure(run);
  EXPECT_EQ(store_.state(run), RunState::resumable);
  std::ofstream(store_.folder(run) / "DONE") << "";
  EXPECT_EQ(store_.state(run), RunState::resumable) << "this DONE vouches for no run.h5";
  test::store_run(store_, test::stored_configuration(1));
  EXPECT_EQ(store_.state(run), RunState::done);
}

TEST_F(Store, ADoneOfAnotherRunIsNoticed) {
  const std::string run = test::store_run(store_, test::stored_configuration(1));
  const std::string other = test::store_run(store_, test::stored_configuration(2));
  EXPECT_EQ(index()[0].state, RunState::done);
  std::filesystem::copy_file(store_.folder(other) / "DONE", store_.folder(run) / "DONE",
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_EQ(store_.state(run), RunState::planned);
  EXPECT_EQ(store_.result(run), RunState::planned);
  const auto entries = index();
  const IndexEntry& entry = entries[entries[0].identity == run ? 0 : 1];
  EXPECT_EQ(entry.state, RunState::planned);
  EXPECT_EQ(entry.message, "DONE does not belong to its run.h5");
}

TEST_F(Store, NothingIsWrittenThroughALink) {
  const std::string run = prepared(1);
  const Configuration configuration = test::stored_configuration(1);
  store_.write_failure(run, {3, "broken", "", 0});
  const std::filesystem::path elsewhere = scratch_.path() / "elsewhere";
  std::filesystem::rename(store_.folder(run), elsewhere);
  std::filesystem::remove(elsewhere / "experiment.yaml");
  std::filesystem::create_directory_symlink("../elsewhere", store_.folder(run));
  EXPECT_EQ(store_.state(run), RunState::failed) << "links are read";
  EXPECT_THROW(store_.make_folder(run), BadInput);
  EXPECT_THROW(store_.prepare(run, configuration), BadInput);
  EXPECT_THROW(store_.write_failure(run, {4, "worse", "", 0}), BadInput);
  EXPECT_THROW(store_.set_requeues(run, 2), BadInput);
  store_.clear_failure(run);
  EXPECT_EQ(store_.failure(run)->exit_code, 3);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(elsewhere), {}), 1);
  std::filesystem::remove_all(elsewhere);
  EXPECT_THROW(store_.make_folder(run), BadInput) << "a link that leads nowhere";
}

TEST_F(Store, WhatIsInTheWayOfOneRunIsItsOwnAffair) {
  const std::string run = prepared(1);
  const Configuration configuration = test::stored_configuration(1);
  const auto put_folder = [&](const char* name) {
    std::filesystem::remove(store_.folder(run) / name);
    std::filesystem::create_directories(store_.folder(run) / name / "mine");
  };
  for (const char* name : {"FAILED", "requeues", "experiment.yaml", "interrupted", "report"}) {
    put_folder(name);
  }
  EXPECT_THROW(store_.prepare(run, configuration), BadInput);
  EXPECT_THROW(store_.clear_failure(run), Obstructed);
  EXPECT_THROW(store_.set_requeues(run, 1), Obstructed);
  EXPECT_THROW(store_.write_failure(run, {1, "", "", 0}), Obstructed);
  EXPECT_THROW(note_interruption(store_.folder(run), "lost"), Obstructed);
  EXPECT_THROW(clear_report(store_.report(run)), Obstructed);
  EXPECT_TRUE(obstacle_to([&] { store_.set_requeues(run, 1); }));
  EXPECT_FALSE(obstacle_to([] {}));
  EXPECT_THROW(obstacle_to([] { throw MachineFailure("a full disk"); }), MachineFailure);
  std::filesystem::remove_all(store_.folder(run));
  std::ofstream(store_.folder(run)) << "a file";
  EXPECT_THROW(store_.make_folder(run), BadInput);
  EXPECT_EQ(store_.state(run), RunState::planned);
  EXPECT_TRUE(store_.identities().empty());
  EXPECT_TRUE(index().empty());
}

TEST_F(Store, LinksThatLeadBackToThemselvesAreNothing) {
  const std::string run = prepared(1);
  for (const char* name : {"run.h5", "DONE", "FAILED", "requeues", "interrupted", "checkpoints", "report"}) {
    std::filesystem::create_symlink(name, store_.folder(run) / name);
  }
  EXPECT_EQ(store_.state(run), RunState::planned);
  ASSERT_EQ(index().size(), 1U);
  EXPECT_EQ(index()[0].message, "");
}

TEST_F(Store, InterruptionsAddUpUntilThereIsANewCheckpoint) {
  const std::string run = prepared(1);
  const std::filesystem::path folder = store_.folder(run);
  EXPECT_FALSE(interruption_of(folder).has_value());
  EXPECT_EQ(note_interruption(folder, "a lost \"node\"").count, 1);
  EXPECT_EQ(store_.state(run), RunState::resumable) << "also without a checkpoint";
  EXPECT_EQ(interruption_of(folder)->message, "a lost \"node\"");
  EXPECT_EQ(index()[0].message, "a lost \"node\"");
  EXPECT_EQ(note_interruption(folder, "killed").count, 2);
  EXPECT_EQ(index()[0].message, "killed");
  std::filesystem::create_directory(folder / "checkpoints");
  std::ofstream(folder / "checkpoints" / "step-000000002.tmp.9") << "half";
  EXPECT_EQ(note_interruption(folder, "killed").count, 3);
  std::ofstream(folder / "checkpoints" / "step-000000002") << "whole";
  EXPECT_EQ(note_interruption(folder, "killed").count, 1);
  EXPECT_EQ(note_interruption(folder, "killed").count, 2);
  std::filesystem::rename(folder / "checkpoints" / "step-000000002",
                          folder / "checkpoints" / "step-000000010");
  EXPECT_EQ(note_interruption(folder, "killed").count, 1);
  store_.clear_failure(run);
  EXPECT_FALSE(interruption_of(folder).has_value());
  std::ofstream(folder / "interrupted") << "{";
  EXPECT_EQ(interruption_of(folder)->count, 1);
}

TEST_F(Store, AClaimOfADeadOwnerIsResumable) {
  const std::string run = prepared(1);
  std::ofstream(store_.folder(run) / "claim")
      << "{\"pid\": 1, \"start\": \"never\", \"space\": \"" << process_space() << "\"}\n";
  EXPECT_EQ(store_.state(run), RunState::resumable);
}

TEST_F(Store, KeepsFailuresAndRequeues) {
  const std::string run = prepared(1);
  EXPECT_EQ(store_.failure(run), std::nullopt);
  store_.write_failure(run, {3, "it \"broke\"", "2000-01-01T00:00:00Z", 2});
  const auto failure = store_.failure(run);
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->exit_code, 3);
  EXPECT_EQ(failure->message, "it \"broke\"");
  EXPECT_EQ(failure->requeues, 2);
  EXPECT_EQ(store_.requeues(run), 0);
  store_.set_requeues(run, 4);
  EXPECT_EQ(store_.requeues(run), 4);
}

TEST_F(Store, TheExperimentLeadsToTheSameRun) {
  const Configuration configuration = test::stored_configuration(7);
  const std::string run = prepared(7);
  EXPECT_EQ(store_identity(load_configuration(store_.experiment(run), {}, test::known_names())), run);
  EXPECT_EQ(store_.identities(), (std::vector<std::string>{run}));
}

TEST_F(Store, TheIndexSaysWhatTheRunsSay) {
  const std::string done = test::store_run(store_, test::stored_configuration(3));
  const std::string failed = prepared(4);
  store_.write_failure(failed, {1, "out of memory", "", 0});
  const auto entries = index();
  ASSERT_EQ(entries.size(), 2U);
  const IndexEntry& run = entries[entries[0].identity == done ? 0 : 1];
  EXPECT_EQ(run.state, RunState::done);
  EXPECT_EQ(run.name, "stored_3");
  EXPECT_EQ(run.value_of("model.name"), "lenet5");
  EXPECT_EQ(run.value_of("training.epochs"), "2");
  EXPECT_DOUBLE_EQ(run.metric("test_accuracy"), 0.5003);
  EXPECT_DOUBLE_EQ(run.metric("best_test_accuracy"), 0.6003);
  EXPECT_EQ(run.metric("best_epoch"), 1);
  EXPECT_EQ(run.metric("seconds"), 22);
  EXPECT_EQ(run.metric("ranks"), 2);
  EXPECT_EQ(run.metric("modelled_training_speedup"), 1.5);
  const IndexEntry& other = entries[entries[0].identity == done ? 1 : 0];
  EXPECT_EQ(other.state, RunState::failed);
  EXPECT_EQ(other.message, "out of memory");
  const Json json = parse_json(read_text(store_.path() / "index.json", kSmallFile), "index.json");
  ASSERT_EQ(json.size(), 2U);
  EXPECT_EQ(json[0]["configuration"]["training.epochs"], 2);
  EXPECT_EQ(json[0]["configuration"]["training.schedule.milestones"], Json::array());
}

TEST_F(Store, TheIndexFollowsChanges) {
  const std::string run = prepared(5);
  EXPECT_EQ(index()[0].state, RunState::planned);
  test::store_run(store_, test::stored_configuration(5));
  EXPECT_EQ(index()[0].state, RunState::done);
  EXPECT_EQ(index()[0].metric("epochs"), 2);
  std::ofstream(store_.path() / "index.json") << "rubbish";
  EXPECT_EQ(index()[0].metric("epochs"), 2);
  std::filesystem::remove_all(store_.folder(run));
  EXPECT_TRUE(index().empty());
}

TEST_F(Store, AnUnchangedIndexIsNotReadFromTheRuns) {
  const std::string run = test::store_run(store_, test::stored_configuration(5));
  index();
  const std::filesystem::path log = store_.folder(run) / "run.h5";
  const auto time = std::filesystem::last_write_time(log);
  const auto size = std::filesystem::file_size(log);
  std::ofstream(log) << std::string(size, 'x');  // as long and, it says, as old: nobody looks into it
  std::filesystem::last_write_time(log, time);
  EXPECT_EQ(index()[0].metric("epochs"), 2);
  std::filesystem::remove(store_.path() / "index.json");
  EXPECT_NE(index()[0].message.find("run.h5"), std::string::npos);
}

TEST_F(Store, WithoutAFolderIsEmpty) {
  EXPECT_TRUE(index().empty());
  EXPECT_FALSE(std::filesystem::exists(store_.path() / "index.json"));
}

TEST_F(Store, Filters) {
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    test::store_run(store_, test::stored_configuration(seed, seed % 2 == 0 ? "lenet5" : "alexnet"));
  }
  const auto entries = index();
  const auto count = [&](const std::vector<std::string>& conditions) {
    return filter_index(entries, conditions).size();
  };
  EXPECT_EQ(count({}), 4U);
  EXPECT_EQ(count({"model=lenet5"}), 2U);
  EXPECT_EQ(count({"model.name!=lenet5", "seed=1"}), 1U);
  EXPECT_EQ(count({"epochs=2"}), 4U);
  EXPECT_EQ(count({"training.momentum=0.90"}), 4U);
  EXPECT_EQ(count({"state=done", "name=stored_2"}), 1U);
  EXPECT_EQ(count({"state=failed"}), 0U);
  EXPECT_THROW(count({"modle=lenet5"}), BadInput);
  EXPECT_THROW(count({"model"}), BadInput);
  EXPECT_THROW(count({"=3"}), BadInput);
}

TEST_F(Store, AThousandRunsAreListedAndFilteredWithinTwoSeconds) {
  test::store_copies(store_, 1000);
  EXPECT_EQ(index().size(), 1000U);  // builds it
  // Seconds of the processor: tests share the machine with whatever else runs.
  const std::clock_t start = std::clock();
  const auto entries = index();
  const auto chosen = filter_index(entries, {"model=alexnet", "state=done"});
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  EXPECT_EQ(entries.size(), 1000U);
  EXPECT_EQ(chosen.size(), 500U);
  EXPECT_LT(seconds, 2.0);
  std::cout << "1,000 runs listed and filtered in " << seconds << " s\n";
}

}  // namespace
}  // namespace adapt
