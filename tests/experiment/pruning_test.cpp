// Successive halving: what is decided from what runs' folders say.

#include "experiment/pruning.hpp"

#include <gtest/gtest.h>

#include "experiment/stored_run.hpp"
#include "support/scratch.hpp"

namespace adapt {
namespace {

const Pruning kThirds = {PruneMetric::test_accuracy, 3, {3, 9}};

Contender at_rung(std::vector<double> values) {
  Contender contender{RunState::pruned, {}};
  for (std::size_t i = 0; i < values.size(); ++i) {
    contender.results.push_back({kThirds.rungs[i], values[i]});
  }
  return contender;
}

/// "run:until", or "" for nothing.
std::string next(const std::vector<Contender>& contenders, const Pruning& pruning = kThirds) {
  const auto found = next_assignment(pruning, contenders);
  return found ? concat(found->run, ":", found->until) : "";
}

TEST(Pruning, RunsThatHaveNotBegunGoToTheFirstRung) {
  EXPECT_EQ(next({{RunState::running}, {RunState::planned}}), "1:3");
  EXPECT_EQ(next({{RunState::planned}, {RunState::resumable}}), "1:3") << "what was begun comes first";
}

TEST(Pruning, TheBestThirdIsPromoted) {
  std::vector<Contender> runs = {at_rung({0.2}), at_rung({0.3}), {RunState::planned}};
  EXPECT_EQ(next(runs), "2:3") << "a third of two is none";
  runs.push_back(at_rung({0.1}));
  EXPECT_EQ(next(runs), "1:9");
  runs[1] = at_rung({0.3, 0.5});
  EXPECT_EQ(next(runs), "2:3") << "it went on";
}

TEST(Pruning, TheHighestRungComesFirstAndEndsInTheWholeRun) {
  std::vector<Contender> runs = {at_rung({0.9}),      at_rung({0.8}),      at_rung({0.3, 0.5}),
                                 at_rung({0.2, 0.6}), at_rung({0.1, 0.4}), at_rung({0.1}),
                                 {RunState::planned}};
  EXPECT_EQ(next(runs), "3:0");
  runs[3].state = RunState::done;
  EXPECT_EQ(next(runs), "0:9");
}

TEST(Pruning, LossesAreBetterWhereTheyAreLess) {
  const Pruning losses = {PruneMetric::test_loss, 3, {3, 9}};
  EXPECT_EQ(next({at_rung({0.2}), at_rung({0.3}), at_rung({0.1})}, losses), "2:9");
}

TEST(Pruning, OneRunIsAlwaysTrainedToItsEnd) {
  EXPECT_EQ(next({at_rung({0.2}), at_rung({0.3})}), "1:9");
  EXPECT_EQ(next({at_rung({0.2}), at_rung({0.3, 0.4})}), "1:0");
  EXPECT_EQ(next({at_rung({0.2}), {RunState::running}}), "") << "somebody else's may be better";
  EXPECT_EQ(next({at_rung({0.2}), {RunState::failed}}), "0:9");
  Contender done = at_rung({0.3, 0.4});
  done.state = RunState::done;
  EXPECT_EQ(next({at_rung({0.2}), done}), "");
}

TEST(Pruning, ARunThatStopsAtARungIsPrunedUntilItIsPromoted) {
  const test::Scratch scratch;
  const RunStore store(scratch.path() / "store");
  const std::string run = test::store_run(store, test::stored_configuration(1));
  std::filesystem::remove(store.folder(run) / "DONE");
  note_rung(store.folder(run), PruneMetric::test_accuracy, 1);
  EXPECT_EQ(store.state(run), RunState::pruned);
  note_promotion(store.folder(run));
  EXPECT_EQ(store.state(run), RunState::planned) << "no checkpoint";
  note_rung(store.folder(run), PruneMetric::test_accuracy, 2);
  const auto note = rungs_of(store.folder(run));
  ASSERT_TRUE(note);
  ASSERT_EQ(note->results.size(), 2U);
  EXPECT_EQ(note->results[1].epoch, 2);
  EXPECT_DOUBLE_EQ(note->results[0].value, 0.6001);
  note_rung(store.folder(run), PruneMetric::test_accuracy, 7);
  EXPECT_EQ(rungs_of(store.folder(run))->results.size(), 2U) << "its log does not go that far";
}

TEST(Pruning, ASubmissionKeepsItAsText) {
  EXPECT_EQ(pruning_from(to_json(kThirds)), kThirds);
  EXPECT_FALSE(pruning_from(Json()));
}

}  // namespace
}  // namespace adapt
