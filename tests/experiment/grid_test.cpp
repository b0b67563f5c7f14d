// Grid files: what they expand to, and what is refused before anything starts.

#include "experiment/grid.hpp"

#include <gtest/gtest.h>

#include <set>

#include "base/file.hpp"
#include "experiment/known.hpp"
#include "support/scratch.hpp"

namespace adapt {
namespace {

class GridFile : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((scratch_.path() / name).parent_path());
    write_atomically(scratch_.path() / name, text);
  }

  Grid expand(const std::string& text, const std::vector<std::string>& overrides = {}) {
    write("g.yaml", text);
    return load_grid(scratch_.path() / "g.yaml", overrides, test::known_names());
  }

  std::vector<std::string> labels(const std::string& text) {
    std::vector<std::string> found;
    for (const GridRun& run : expand(text).runs) {
      found.push_back(run.label);
    }
    return found;
  }

  /// The message without the scratch folder's path.
  std::string refused(const std::string& text) {
    return test::refusal_of(scratch_, [&] { expand(text); });
  }

  test::Scratch scratch_;
};

using Labels = std::vector<std::string>;

TEST_F(GridFile, EveryCombinationIsARunTheLastAxisFastestSeedsSlowest) {
  EXPECT_EQ(labels("grid:\n  model: [lenet5, resnet20]\n  training.epochs: [1, 2]\nseeds: [4, 7]\n"),
            (Labels{"model=lenet5 training.epochs=1 seed=4", "model=lenet5 training.epochs=2 seed=4",
                    "model=resnet20 training.epochs=1 seed=4", "model=resnet20 training.epochs=2 seed=4",
                    "model=lenet5 training.epochs=1 seed=7", "model=lenet5 training.epochs=2 seed=7",
                    "model=resnet20 training.epochs=1 seed=7", "model=resnet20 training.epochs=2 seed=7"}));
}

TEST_F(GridFile, RunsAreResolvedConfigurations) {
  write("base.yaml", "name: base\ntraining: {epochs: 9, batch: 64}\nmodel: alexnet\n");
  const Grid grid =
      expand("base: base.yaml\ntraining: {momentum: 0.5}\ngrid: {training.batch: [32, 128]}\nseeds: 2\n",
             {"training.shards=4"});
  EXPECT_EQ(grid.name, "g");
  ASSERT_EQ(grid.runs.size(), 4U);
  const Configuration& last = grid.runs[3].configuration;
  EXPECT_EQ(last.model.name, "alexnet");
  EXPECT_EQ(last.training.epochs, 9);
  EXPECT_EQ(last.training.momentum, 0.5);
  EXPECT_EQ(last.training.batch, 128);
  EXPECT_EQ(last.training.shards, 4);
  EXPECT_EQ(last.seed, 1U);
  EXPECT_EQ(last.name, "g_128_seed1");
  EXPECT_EQ(grid.runs[3].identity, store_identity(last));
}

TEST_F(GridFile, ZippedListsMoveTogether) {
  EXPECT_EQ(labels("zip: {training.epochs: [1, 2], training.batch: [8, 16]}\n"),
            (Labels{"training.epochs=1 training.batch=8", "training.epochs=2 training.batch=16"}));
  EXPECT_EQ(labels("grid: {model: [lenet5, alexnet]}\n"
                   "zip:\n  - {training.epochs: [1, 2], training.batch: [8, 16]}\n  - {seed: [3, 4]}\n")
                .size(),
            8U);
}

TEST_F(GridFile, AnAxisMayHoldSectionsAndBases) {
  write("recipes/fast.yaml", "training: {epochs: 1, momentum: 0.1}\n");
  write("recipes/slow.yaml", "training: {epochs: 50}\n");
  const Grid grid = expand(
      "name: mine\ntraining: {momentum: 0.3}\n"
      "grid:\n  base: [recipes/fast.yaml, [recipes/fast.yaml, recipes/slow.yaml]]\n"
      "  training.schedule: [cosine, {name: multi_step, milestones: [1, 2]}]\n");
  ASSERT_EQ(grid.runs.size(), 4U);
  EXPECT_EQ(grid.runs[0].configuration.training.epochs, 1);
  EXPECT_EQ(grid.runs[3].configuration.training.epochs, 50);
  EXPECT_EQ(grid.runs[0].configuration.training.momentum, 0.3);  // the grid's own keys lie on top of any base
  EXPECT_EQ(grid.runs[1].configuration.training.schedule.milestones, (std::vector<int>{1, 2}));
  EXPECT_EQ(grid.runs[1].label, "base=fast training.schedule={name: multi_step, milestones: [1, 2]}");
  EXPECT_EQ(grid.runs[0].configuration.name, "mine_fast_cosine");
}

TEST_F(GridFile, ExclusionsTakeRunsOutBeforeTheyAreChecked) {
  // muppet with per_layer formats is refused where it stands alone.
  EXPECT_EQ(
      labels("engine: emulated\n"
             "grid:\n  precision: [adapt, muppet]\n  precision.formats: [per_layer, per_tensor]\n"
             "precision: {backward: quantized}\n"
             "exclude:\n  - {precision: muppet, precision.formats: per_layer}\n"),
      (Labels{"precision=adapt precision.formats=per_layer", "precision=adapt precision.formats=per_tensor",
              "precision=muppet precision.formats=per_tensor"}));
  EXPECT_EQ(labels("grid: {training.learning_rate: [0.1, 0.2, 0.3]}\n"
                   "exclude: [{training.learning_rate: [1.0e-1, 0.20]}]\n"),
            (Labels{"training.learning_rate=0.3"}));
}

TEST_F(GridFile, TwoGridsShareTheRunThatIsTheSame) {
  const Grid a = expand("name: one\ngrid: {training.epochs: [1, 2]}\ncheckpoint: {keep: 5}\n");
  const Grid b = expand("name: two\ntraining: {epochs: 2}\ngrid: {seed: [0, 1]}\ndata: {path: /elsewhere}\n");
  EXPECT_EQ(a.runs[1].identity, b.runs[0].identity);
  EXPECT_NE(a.runs[0].identity, b.runs[0].identity);
  EXPECT_NE(a.runs[1].identity, b.runs[1].identity);
  EXPECT_EQ(a.runs[0].identity.size(), 16U);
}

TEST_F(GridFile, ThreadsTellRunsApart) {
  const Grid grid = expand("grid: {training.threads: [1, 2]}\n");
  EXPECT_NE(grid.runs[0].identity, grid.runs[1].identity);
}

TEST_F(GridFile, UnknownAxes) {
  EXPECT_EQ(refused("grid:\n  model: [lenet5]\n  training.epoch: [1]\n"),
            "g.yaml:3: unknown key 'training.epoch' under 'grid'; did you mean 'training.epochs'?");
  EXPECT_EQ(refused("zip:\n  nonsense.of.mine: [1]\n"),
            "g.yaml:2: unknown key 'nonsense.of.mine' under 'zip'; expected keys such as training.epochs; "
            "'adapt train --help-keys' lists all");
  EXPECT_EQ(refused("gird: {seed: [1]}\nseeds: 2\n"), "g.yaml:1: unknown key 'gird'; did you mean 'grid'?");
  EXPECT_EQ(refused("seeds: 2\ntraining:\n  epoch: 3\n"),
            "g.yaml:3: unknown key 'epoch' in 'training'; did you mean 'epochs'?");
}

TEST_F(GridFile, ATypeErrorInOneCell) {
  EXPECT_EQ(refused("grid:\n  training.epochs: [1, 2,\n    many]\n"),
            "g.yaml:3: 'training.epochs': expected an integer from 1 to 100000, found 'many'");
  EXPECT_EQ(
      refused("grid:\n  model: [lenet5, resnet21]\n"),
      "g.yaml:2: 'model.name': expected one of lenet5, alexnet, resnet20; found 'resnet21'; did you mean "
      "'resnet20'? (in the run model=resnet21)");
  EXPECT_EQ(refused("seeds: [1, two]\n"),
            "g.yaml:1: 'seed': expected an integer from 0 to 9223372036854775807, found 'two'");
}

TEST_F(GridFile, ACellWhoseKeysContradictEachOther) {
  EXPECT_EQ(
      refused("training:\n  shards: 8\ngrid:\n  training.batch: [64,\n    63]\n"),
      "g.yaml:5: training.batch is 63, not a multiple of training.shards (8); expected for example 56 or 64 "
      "(in the run training.batch=63)");
}

TEST_F(GridFile, EmptyGrids) {
  const std::string expected =
      "; expected 'grid:' with keys and their values, such as grid: {training.epochs: [1, 2]}, or 'zip:' or "
      "'seeds:'";
  EXPECT_EQ(refused("model: lenet5\n"), "g.yaml: an empty grid" + expected);
  EXPECT_EQ(refused("model: lenet5\ngrid: {}\n"),
            "g.yaml:2: 'grid': empty; expected keys and their values, such as training.epochs: [1, 2]");
  EXPECT_EQ(refused("grid:\n"),
            "g.yaml:1: 'grid': empty; expected keys and their values, such as training.epochs: [1, 2]");
  EXPECT_EQ(refused("grid:\n  training.epochs: []\n"),
            "g.yaml:2: 'training.epochs': an empty list; expected the values to try, such as [1, 2]");
  EXPECT_EQ(refused("grid:\n  training.epochs: 3\n"),
            "g.yaml:2: 'training.epochs': no list; expected the values to try, such as [1, 2]");
  EXPECT_EQ(refused("grid: {seed: [1, 2]}\nexclude: [{seed: [1, 2]}]\n"),
            "g.yaml: an empty grid: 'exclude' leaves out every run; expected one at least");
  EXPECT_EQ(refused(""), "g.yaml: empty; expected keys such as 'model: lenet5'");
}

TEST_F(GridFile, DuplicateRuns) {
  EXPECT_EQ(
      refused("grid:\n  training.momentum: [0.5, 0.9,\n   0.50]\n"),
      "g.yaml:3: 'training.momentum': the runs training.momentum=0.5 and training.momentum=0.50 are the "
      "same; expected values that lead to different experiments");
  EXPECT_EQ(refused("grid:\n  training.epochs: [1, 2]\n  checkpoint.keep: [2, 3]\n"),
            "g.yaml:3: 'checkpoint.keep': the runs training.epochs=1 checkpoint.keep=2 and training.epochs=1 "
            "checkpoint.keep=3 are the same; expected values that lead to different experiments");
}

TEST_F(GridFile, AKeyMayVaryOnce) {
  EXPECT_EQ(
      refused("grid: {seed: [1]}\nseeds: 3\n"),
      "g.yaml:1: 'seed' is varied twice; first in g.yaml:2; expected each key once under 'grid', 'zip' and "
      "'seeds'");
  EXPECT_EQ(
      refused("grid:\n  precision: [adapt]\n  precision.policy: [fixed]\n"),
      "g.yaml:3: 'precision.policy' is varied twice; first in g.yaml:2; expected each key once under 'grid', "
      "'zip' and 'seeds'");
  EXPECT_EQ(refused("grid:\n  seed: [1]\n  seed: [2]\n"),
            "g.yaml:3: duplicate key 'grid.seed'; first in line 2");
}

TEST_F(GridFile, ListsOfUnequalLength) {
  EXPECT_EQ(
      refused("zip:\n  training.epochs: [1, 2]\n  training.batch: [8]\n"),
      "g.yaml:3: 'training.batch': 1 values, and 'training.epochs' (g.yaml:2) has 2; expected lists of one "
      "length under 'zip'");
}

TEST_F(GridFile, ARuleThatFitsNoRun) {
  EXPECT_EQ(refused("grid: {seed: [1, 2]}\nexclude:\n  - {seed: 1}\n  - {seed: 3}\n"),
            "g.yaml:4: 'exclude': no run fits this rule; expected one that does");
  EXPECT_EQ(refused("grid: {seed: [1, 2]}\nexclude: [{training: 1}]\n"),
            "g.yaml:2: 'training': a section; expected one key of it, such as training.epochs");
}

TEST_F(GridFile, TooManyRunsAreCountedNotMade) {
  std::string values = "0";
  for (int i = 1; i < 100; ++i) {
    values += ", " + std::to_string(i);
  }
  EXPECT_EQ(refused("training: {epochs: 200}\ngrid:\n  seed: [" + values +
                    "]\n  training.schedule.warmup_epochs: [" + values +
                    "]\n  training.schedule.patience: [" + values + "]\n"),
            "g.yaml:3: 'grid' makes 1000000 runs (100 seed x 100 training.schedule.warmup_epochs x 100 "
            "training.schedule.patience); expected at most 10000");
}

TEST_F(GridFile, ManyRulesForManyRuns) {
  std::string rules;
  for (int i = 0; i < 20000; ++i) {
    rules += "- {seed: " + std::to_string(i) + "}\n";
  }
  EXPECT_EQ(refused("seeds: 9999\nexclude:\n" + rules),
            "g.yaml:3: 'exclude': 20000 values to compare with each of 9999 runs; expected at most 5000000 "
            "comparisons: fewer rules or runs");
  EXPECT_EQ(
      refused("seeds: 2\nexclude:\n" + rules + rules),
      "g.yaml:33334: more than 100000 values, those of aliases counted; expected an experiment or a grid");
}

TEST_F(GridFile, TenThousandRunsAreFine) {
  const Grid grid = expand("training: {epochs: 2}\nseeds: 10000\n");
  std::set<std::string> identities;
  for (const GridRun& run : grid.runs) {
    identities.insert(run.identity);
  }
  EXPECT_EQ(identities.size(), kMostGridRuns);
}

TEST_F(GridFile, MissingBase) {
  EXPECT_EQ(refused("grid:\n  base: [nothing.yaml]\n"),
            "g.yaml:2: 'base': there is no nothing.yaml; expected a path relative to g.yaml");
}

}  // namespace
}  // namespace adapt
