#include "experiment/configuration.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "base/file.hpp"
#include "experiment/known.hpp"
#include "experiment/settings.hpp"
#include "support/scratch.hpp"

namespace adapt {
namespace {

using test::known_names;
using test::parse;
using test::Scratch;

/// A configuration in which every member differs from its default.
Configuration all_different() {
  Configuration c;
  c.name = "Run-1.b_c";
  c.seed = 9223372036854775807U;
  c.model = {"mine", "name: mine\nimage: [1, 8, 8]\nlayers:\n  - relu: {name: \"a\"}\n", 0.1, "/a.npz", "0a"};
  c.engine = {Engine::emulated, Rounding::nearest};
  c.data = {"cifar10", "/some where/\"quoted\" \\ ü: #x", 50000, 123, AugmentationKind::crop_flip, 3, 10, 9};
  c.training.epochs = 160;
  c.training.target_accuracy = 0.9;
  c.training.batch = 510;
  c.training.accumulate = 4;
  c.training.shards = 6;
  c.training.threads = 2;
  c.training.learning_rate = 0.1 + 0.2;
  c.training.momentum = std::numeric_limits<double>::denorm_min();
  c.training.weight_decay = 1e-8;
  c.training.l1 = 1.0 / 3;
  c.training.label_smoothing = 0.1;
  c.training.decayed = Decayed::weights;
  c.training.normalize = Normalize::yes;
  c.training.penalty = false;
  c.training.schedule = {ScheduleKind::multi_step,   2.5, {80, 120}, 0.3, 0, 1e-5, 0.01,
                         ScheduleOrigin::final_phase};
  c.training.test_batch = 100;
  c.training.final_epochs = 44;
  c.precision.name = Policy::muppet;
  c.precision.formats = FormatScope::per_tensor;
  c.precision.scales = ScaleChoice::least_error;
  c.precision.backward = Backward::quantized;
  c.precision.muppet = {{4, 9}, 4, DiversityWindow::sliding, 1.25, 2.5, 0.5, 3};
  c.precision.quantize = {false, false, false, false};
  c.precision.fixed = {8, -3};
  c.precision.adapt = {10,           5,
                       30,           150,
                       60,           140,
                       0.9,          8,
                       1e-2,         1e-7,
                       Growth::word, Strategy::max,
                       {8, 16},      Watched::activations};
  c.exchange = {Encoding::int16, true, Algorithm::tree, false};
  c.record = {7, 1.5};
  c.checkpoint = {3, 50, 4};
  c.mpi = {12.5};
  return c;
}

TEST(Configuration, AnEmptyMappingGivesTheDefaults) {
  EXPECT_EQ(resolved_yaml(parse("{}")), resolved_yaml(Configuration()));
}

TEST(Configuration, ReadsEverySectionIntoItsMembers) {
  const Configuration c = parse(R"(
name: first
seed: 18
model: {name: alexnet, init_scale: 1}
engine:
  name: emulated
data: {name: cifar10, path: "", train_samples: 1000}
training:
  epochs: 30
  learning_rate: 5e-2
  penalty: no
  schedule: {name: multi_step, milestones: [10, 20], warmup_epochs: .5}
precision:
  policy: fixed
  fixed: {word_length: 8, fractional_length: -2}
  quantize: {inputs: yes, outputs: false}
exchange: {encoding: exact}
record: {flush_seconds: 0}
)");
  EXPECT_EQ(c.name, "first");
  EXPECT_EQ(c.seed, 18U);
  EXPECT_EQ(c.model.name, "alexnet");
  EXPECT_EQ(c.model.init_scale, 1.0);
  EXPECT_EQ(c.engine.name, Engine::emulated);
  EXPECT_EQ(c.engine.rounding, Rounding::stochastic) << "not named: the default";
  EXPECT_EQ(c.data.train_samples, 1000);
  EXPECT_EQ(c.training.epochs, 30);
  EXPECT_EQ(c.training.learning_rate, 0.05);
  EXPECT_FALSE(c.training.penalty);
  EXPECT_EQ(c.training.schedule.milestones, (std::vector<int>{10, 20}));
  EXPECT_EQ(c.training.schedule.warmup_epochs, 0.5);
  EXPECT_EQ(c.precision.name, Policy::fixed);
  EXPECT_EQ(c.precision.fixed.fractional_length, -2);
  EXPECT_TRUE(c.precision.quantize.inputs);
  EXPECT_FALSE(c.precision.quantize.outputs);
  EXPECT_EQ(c.exchange.encoding, Encoding::exact);
  EXPECT_EQ(c.record.flush_seconds, 0.0);
}

TEST(Configuration, APlainValueStandsForTheNameOfASection) {
  const Configuration c = parse(
      "{model: resnet20, engine: emulated, data: mnist, precision: adapt, exchange: layer, training: "
      "{schedule: "
      "cosine}}");
  EXPECT_EQ(c.model.name, "resnet20");
  EXPECT_EQ(c.engine.name, Engine::emulated);
  EXPECT_EQ(c.data.name, "mnist");
  EXPECT_EQ(c.precision.name, Policy::adapt);
  EXPECT_EQ(c.exchange.encoding, Encoding::layer);
  EXPECT_EQ(c.training.schedule.name, ScheduleKind::cosine);
}

TEST(Configuration, AliasesThatGrow) {
  std::string text = "a: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string alias = "*a" + std::to_string(i - 1);
    text += "b" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + alias;
    for (int times = 1; times < 10; ++times) {
      text += ", " + alias;
    }
    text += "]\n";
  }
  EXPECT_EQ(test::refusal(text),
            "a.yaml:5: more than 100000 values, those of aliases counted; expected an experiment or a grid");
  EXPECT_EQ(
      test::refusal("{}", {"seed=[&a [x, x], *a, *a]"}),
      "--set seed=[&a [x, x], *a, *a]: 'seed': expected an integer from 0 to 9223372036854775807, found a "
      "list");
}

TEST(Configuration, AliasesInsideOfThemselves) {
  const char* circle = ": an alias inside of what it stands for; expected no circle";
  EXPECT_EQ(test::refusal("seed: 1\nmodel: &a\n  name: *a\n"), std::string("a.yaml:3") + circle);
  EXPECT_EQ(test::refusal("seed: &a [&b [*a, *b]]\n"), std::string("a.yaml:1") + circle);
  EXPECT_EQ(test::refusal("{}", {"seed=&a [*a]"}), std::string("--set seed=&a [*a]") + circle);
}

TEST(Configuration, AliasesOfYamlWork) {
  const Configuration c = parse("training: {epochs: &n 7, shards: 7, batch: 7, test_batch: *n}");
  EXPECT_EQ(c.training.epochs, 7);
  EXPECT_EQ(c.training.test_batch, 7);
}

TEST(Configuration, OverridesComeLastAndInOrder) {
  const Configuration c =
      parse("{training: {epochs: 3}}", {"training.epochs=4", "training.epochs=5", "model=alexnet",
                                        "training.schedule.milestones=[1, 2]", "data.path=a=b"});
  EXPECT_EQ(c.training.epochs, 5);
  EXPECT_EQ(c.model.name, "alexnet");
  EXPECT_EQ(c.training.schedule.milestones, (std::vector<int>{1, 2}));
  EXPECT_EQ(c.data.path, "a=b");
}

TEST(Configuration, OverridesTakeEveryKey) {
  const Scratch folder;
  Configuration different = all_different();
  different.model.weights = (folder.path() / "a.npz").string();  // it is looked at
  write_atomically(different.model.weights, std::string("a"));
  std::vector<std::string> overrides;
  for (const Setting& setting : settings()) {
    overrides.push_back(setting.key + "=" + setting.write(different));
  }
  EXPECT_EQ(resolved_yaml(parse("{}", overrides)), resolved_yaml(different));
}

TEST(ResolvedYaml, ComesBackExactly) {
  const Configuration before = all_different();
  const Configuration after = parse(resolved_yaml(before));
  EXPECT_EQ(resolved_yaml(after), resolved_yaml(before));
  EXPECT_EQ(after.data.path, before.data.path);
  EXPECT_EQ(after.seed, before.seed);
  EXPECT_EQ(after.training.learning_rate, before.training.learning_rate);
  EXPECT_EQ(after.training.momentum, before.training.momentum);
  EXPECT_EQ(after.training.l1, before.training.l1);
  EXPECT_EQ(after.precision.adapt.smoothing, before.precision.adapt.smoothing);
}

TEST(ResolvedYaml, HoldsEveryKeyOfEveryMember) {
  // Each line of the two texts must differ but for the section headers: else a member is not bound, or is
  // bound twice.
  Configuration usual;
  usual.model.graph = "a text, without which the key would not be there";
  usual.model.weights = usual.model.weights_sha256 = "likewise";
  std::istringstream first(resolved_yaml(usual));
  std::istringstream second(resolved_yaml(all_different()));
  std::string a;
  std::string b;
  while (std::getline(first, a) && std::getline(second, b)) {
    EXPECT_EQ(a == b, a.back() == ':') << a << " | " << b;
  }
}

TEST(ResolvedYaml, IsNestedAndReadableByOldReaders) {
  Configuration c;
  c.training.normalize = Normalize::yes;
  const std::string text = resolved_yaml(c);
  EXPECT_TRUE(
      text.starts_with("name: experiment\nseed: 0\nmodel:\n  name: lenet5\n  init_scale: 0.5\nengine:\n"));
  EXPECT_NE(text.find("\n  normalize: \"yes\"\n"), std::string::npos) << "yes without quotes would be true";
  EXPECT_NE(text.find("\n    threshold: 1.0e-06\n"), std::string::npos) << "1e-06 would be text to YAML 1.1";
  EXPECT_NE(text.find("  final_epochs: 45\n  schedule:\n    name: constant\n"), std::string::npos) << text;
}

TEST(Settings, SectionsAndKeysFitTogether) {
  std::set<std::string> keys;
  for (const Setting& setting : settings()) {
    EXPECT_TRUE(keys.insert(setting.key).second) << setting.key << " twice";
    EXPECT_FALSE(setting.doc.empty()) << setting.key;
    const std::size_t dot = setting.key.rfind('.');
    EXPECT_TRUE(dot == std::string::npos || find_section(setting.key.substr(0, dot)) != nullptr)
        << setting.key;
  }
  for (const Section& section : sections()) {
    EXPECT_EQ(find_setting(section.key), nullptr) << section.key;
    EXPECT_TRUE(section.shorthand.empty() || find_setting(section.shorthand) != nullptr) << section.key;
    EXPECT_FALSE(keys_in(section.key).empty()) << section.key;
  }
  EXPECT_EQ(keys_in("precision"), (std::vector<std::string>{"policy", "formats", "scales", "backward",
                                                            "quantize", "fixed", "adapt", "muppet"}));
}

TEST(Reference, IsAnExperimentFileWithTheDefaults) {
  const std::string text = configuration_reference(known_names());
  EXPECT_EQ(resolved_yaml(parse(text)), resolved_yaml(Configuration()));
  EXPECT_NE(text.find("  # passes over the training set: an integer from 1 to 100000\n  epochs: 15\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("  # which network; model.file: PATH instead takes one from a file of its own: one of "
                      "lenet5, alexnet, resnet20\n  name: lenet5\n"),
            std::string::npos);
  EXPECT_NE(text.find("  # of stochastic gradient descent: a number from 0 to below 1\n"), std::string::npos);
}

TEST(Identity, DependsOnEveryKeyButTheIgnoredOnes) {
  const std::set<std::string> ignored = {"name",
                                         "model.weights",
                                         "data.path",
                                         "exchange.algorithm",
                                         "exchange.overlap",
                                         "record.layer_interval",
                                         "record.flush_seconds",
                                         "checkpoint.interval_epochs",
                                         "checkpoint.interval_steps",
                                         "checkpoint.keep",
                                         "mpi.timeout_s"};
  const Configuration different = all_different();
  const std::string plain = run_identity(Configuration());
  EXPECT_EQ(plain.size(), 64U);
  for (const Setting& setting : settings()) {
    Configuration c;
    setting.read(c, YAML::Load(setting.write(different)), known_names());
    EXPECT_EQ(run_identity(c) == plain, ignored.contains(setting.key)) << setting.key;
  }
}

TEST(Identity, TheFirstDifferenceIsNamed) {
  Configuration a;
  Configuration b;
  b.name = "other";
  b.checkpoint.keep = 5;
  EXPECT_EQ(identity_difference(a, b), "");
  b.training.batch = 128;
  b.training.momentum = 0.5;
  EXPECT_EQ(identity_difference(a, b), "training.batch: 256 against 128");
}

TEST(Identity, DoesNotDependOnHowTheFileIsWritten) {
  EXPECT_EQ(run_identity(parse("{engine: emulated, training: {learning_rate: 1.0e-1}}")),
            run_identity(parse("training:\n  learning_rate: 0.10\nengine: {name: emulated}\n")));
}

}  // namespace
}  // namespace adapt
