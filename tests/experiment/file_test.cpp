// Experiment files on disk: bases, and files that are none.

#include "base/file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "experiment/known.hpp"
#include "support/scratch.hpp"

namespace adapt {
namespace {

class ConfigurationFile : public testing::Test {
 protected:
  std::filesystem::path write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((scratch_.path() / name).parent_path());
    write_atomically(scratch_.path() / name, text);
    return scratch_.path() / name;
  }

  Configuration load(const std::string& name, const std::vector<std::string>& overrides = {}) {
    return load_configuration(scratch_.path() / name, overrides, test::known_names());
  }

  /// The message without the scratch folder's path.
  std::string refusal(const std::string& name) {
    return test::refusal_of(scratch_, [&] { load(name); });
  }

  test::Scratch scratch_;
};

TEST_F(ConfigurationFile, LiesOnTopOfItsBases) {
  write("deep/ground.yaml", "seed: 1\nname: ground\ntraining: {epochs: 1, batch: 64}\n");
  write("middle.yaml", "training: {epochs: 2}\nbase: deep/ground.yaml\nname: middle\n");
  write("a b.yaml", "base: middle.yaml\nname: top\n");
  const Configuration c = load("a b.yaml", {"seed=5"});
  EXPECT_EQ(c.name, "top");
  EXPECT_EQ(c.training.epochs, 2);
  EXPECT_EQ(c.training.batch, 64);
  EXPECT_EQ(c.seed, 5U);
}

TEST_F(ConfigurationFile, OfSeveralBasesTheLaterOnesWin) {
  write("ground.yaml", "seed: 7\nname: ground\n");
  write("long.yaml", "base: ground.yaml\ntraining: {epochs: 90, batch: 64}\nname: long\n");
  write("short.yaml", "training: {epochs: 2}\n");
  write("top.yaml", "base: [long.yaml, short.yaml]\ntraining: {momentum: 0.5}\n");
  const Configuration c = load("top.yaml");
  EXPECT_EQ(c.training.epochs, 2);
  EXPECT_EQ(c.training.batch, 64);
  EXPECT_EQ(c.training.momentum, 0.5);
  EXPECT_EQ(c.name, "long");
  EXPECT_EQ(c.seed, 7U);
  write("top.yaml", "base: [short.yaml, nothing.yaml]\n");
  EXPECT_EQ(refusal("top.yaml"),
            "top.yaml:1: 'base': there is no nothing.yaml; expected a path relative to top.yaml");
}

TEST_F(ConfigurationFile, ErrorsNameTheFileThatHoldsThem) {
  write("base.yaml", "seed: 1\nsead: 2\n");
  write("top.yaml", "base: base.yaml\n");
  EXPECT_EQ(refusal("top.yaml"), "base.yaml:2: unknown key 'sead'; did you mean 'seed'?");
  write("base.yaml", "training:\n  shards: 7\n");
  EXPECT_EQ(refusal("top.yaml"),
            "base.yaml:2: training.batch is 256, not a multiple of training.shards (7); expected for example "
            "252 or "
            "259");
}

TEST_F(ConfigurationFile, AGridIsNoExperiment) {
  write("grid.yaml", "model: lenet5\ngrid: {seed: [1]}\n");
  EXPECT_EQ(
      refusal("grid.yaml"),
      "grid.yaml:2: 'grid' is a key of grids; expected an experiment, or 'adapt sweep' to run the grid");
}

TEST_F(ConfigurationFile, BasesInACircleAreRefused) {
  write("a.yaml", "base: b.yaml\n");
  write("b.yaml", "seed: 1\nbase: ./x/../a.yaml\n");
  EXPECT_EQ(refusal("a.yaml"), "b.yaml:2: 'base': a.yaml leads back to itself; expected no circle");
  write("self.yaml", "base: self.yaml\n");
  EXPECT_EQ(refusal("self.yaml"), "self.yaml:1: 'base': self.yaml leads back to itself; expected no circle");
  for (int i = 0; i < 20; ++i) {
    write("chain" + std::to_string(i) + ".yaml", "base: chain" + std::to_string(i + 1) + ".yaml\n");
  }
  EXPECT_EQ(refusal("chain0.yaml"), "chain16.yaml:1: 'base': more than 16 files on top of each other");
}

TEST_F(ConfigurationFile, BasesThatNameEachOtherManyTimes) {
  for (int i = 0; i < 10; ++i) {
    const std::string next = "many" + std::to_string(i + 1) + ".yaml";
    std::string eight = next;
    for (int times = 1; times < 8; ++times) {
      eight += ", " + next;
    }
    write("many" + std::to_string(i) + ".yaml", "base: [" + eight + "]\n");
  }
  write("many10.yaml", "seed: 1\n");
  EXPECT_EQ(refusal("many0.yaml"), "many9.yaml:1: 'base': more than 100 files below one experiment");
}

TEST_F(ConfigurationFile, BadBases) {
  write("a.yaml", "seed: 1\nbase: nothing.yaml\n");
  EXPECT_EQ(refusal("a.yaml"),
            "a.yaml:2: 'base': there is no nothing.yaml; expected a path relative to a.yaml");
  for (const std::string value : {"", " []", " [[b.yaml]]", " {b.yaml: 1}"}) {
    write("a.yaml", "base:" + value + "\n");
    EXPECT_EQ(refusal("a.yaml"),
              "a.yaml:1: 'base': expected the path of an experiment file, or a list of such paths");
  }
  write("a.yaml", "training: {base: b.yaml}\n");
  EXPECT_EQ(refusal("a.yaml").substr(0, 42), "a.yaml:1: unknown key 'base' in 'training'");
  write("folder/b.yaml", "seed: 1\n");
  write("a.yaml", "base: folder\n");
  EXPECT_EQ(refusal("a.yaml"), "cannot read folder: not a regular file; expected a YAML file");
}

TEST_F(ConfigurationFile, WhatIsNoFile) {
  EXPECT_NE(refusal("missing.yaml").find("missing.yaml"), std::string::npos);
  EXPECT_NE(refusal("missing.yaml").find("No such file"), std::string::npos);
  EXPECT_EQ(refusal("."), "cannot read .: not a regular file; expected a YAML file");
  ASSERT_EQ(::mkfifo((scratch_.path() / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(refusal("pipe"), "cannot read pipe: not a regular file; expected a YAML file");
  write("large.yaml", std::string(1048577, '#'));
  EXPECT_EQ(refusal("large.yaml"),
            "cannot read large.yaml: 1048577 bytes; expected a YAML file of at most 1048576 bytes");
  write("empty.yaml", "");
  EXPECT_EQ(refusal("empty.yaml"), "empty.yaml: empty; expected keys such as 'model: lenet5'");
}

TEST_F(ConfigurationFile, UnreadableForThisUser) {
  const auto path = write("secret.yaml", "seed: 1\n");
  ASSERT_EQ(::chmod(path.c_str(), 0), 0);
  // Root reads everything, so it tries as nobody.
  const bool root = ::geteuid() == 0;
  ASSERT_TRUE(!root || ::seteuid(65534) == 0);
  const std::string message = refusal("secret.yaml");
  ASSERT_TRUE(!root || ::seteuid(0) == 0);
  EXPECT_NE(message.find("secret.yaml"), std::string::npos) << message;
  EXPECT_NE(message.find("Permission denied"), std::string::npos) << message;
}

TEST_F(ConfigurationFile, TheQuickstartIsValid) {
  const std::filesystem::path path = std::filesystem::path(ADAPT_SOURCE_DIR) / "experiments";
  const Configuration c = load_configuration(path / "quickstart.yaml", {}, test::known_names());
  EXPECT_EQ(c.precision.name, Policy::adapt);
  EXPECT_EQ(c.engine.name, Engine::emulated);
}

}  // namespace
}  // namespace adapt
