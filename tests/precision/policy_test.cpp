#include "precision/policy.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <utility>

#include "base/error.hpp"

namespace adapt {
namespace {

const std::vector<LayerInfo> kTwoLayers = {{"first", 3}, {"second", 2}};

std::string message_of_making(const PolicyOptions& options) {
  try {
    make_policy(options, kTwoLayers);
  } catch (const BadInput& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(MakePolicy, KnowsItsNames) {
  EXPECT_EQ(names_of<Policy>(), (std::vector<std::string>{"float32", "fixed", "adapt", "muppet"}));
  for (const PolicyEntry& entry : kNames<Policy>) {
    PolicyOptions options;
    options.name = entry.value;
    options.formats = FormatScope::per_tensor;
    options.backward = Backward::quantized;
    const auto policy = make_policy(options, kTwoLayers);
    EXPECT_EQ(policy->plan().layers.size(), 2U) << entry.name;
    EXPECT_TRUE(policy->plan().per_tensor) << entry.name;
  }
}

TEST(Float32Policy, HasNoFormatsAndNeverSwitches) {
  const auto policy = make_policy({}, kTwoLayers);
  EXPECT_EQ(policy->plan(), (PrecisionPlan{0, {LayerFormats{}, LayerFormats{}}}));
  EXPECT_TRUE(policy->observe({}).empty());
  EXPECT_EQ(policy->strategy(), "");
}

/// A policy that remembers nothing but its plan, which changes, needs no code of its own for checkpoints.
class GrowingPolicy : public PrecisionPolicy {
 public:
  GrowingPolicy() { plan_.layers.resize(2); }
  std::vector<SwitchEvent> observe(const StepObservation& seen) override {
    plan_.layers[0].weights = FixedFormat{static_cast<int>(seen.step), -3};
    ++plan_.version;
    return {SwitchEvent{}};
  }
};

TEST(PrecisionPolicy, ThePlanIsSavedForThoseThatRememberNothingElse) {
  GrowingPolicy before;
  before.observe({.step = 9, .layers = {}});
  GrowingPolicy after;
  after.restore_state(before.save_state());
  EXPECT_EQ(after.plan(), before.plan());
  EXPECT_EQ(after.plan().layers[0].weights, (FixedFormat{9, -3}));
  EXPECT_EQ(after.plan().version, 1);
}

TEST(PrecisionPolicy, StateThatIsNoPlanIsRefused) {
  const auto policy = make_policy({}, kTwoLayers);
  EXPECT_THROW(policy->restore_state({}), BadInput);
  EXPECT_THROW(policy->restore_state(make_policy({}, {kTwoLayers[0]})->save_state()), BadInput);
  GrowingPolicy broken;
  broken.observe({.step = 33, .layers = {}});  // no word length
  EXPECT_THROW(policy->restore_state(broken.save_state()), BadInput);
}

TEST(FixedPolicy, GivesEveryLayerItsFormat) {
  PolicyOptions options;
  options.name = Policy::fixed;
  options.fixed = {12, 9};
  const FixedFormat format{12, 9};
  const auto policy = make_policy(options, kTwoLayers);
  const LayerFormats all{format, format, format, format, format, {}};
  EXPECT_EQ(policy->plan(), (PrecisionPlan{0, {all, all}}));
  EXPECT_TRUE(policy->observe({}).empty());
  options.backward = Backward::quantized;
  const LayerFormats with_backward{format, format, format, format, format, format};
  EXPECT_EQ(make_policy(options, kTwoLayers)->plan().layers[0], with_backward);
}

TEST(FixedPolicy, LeavesOutWhatIsNotQuantized) {
  PolicyOptions options;
  options.name = Policy::fixed;
  const FixedFormat format{options.fixed.word_length, options.fixed.fractional_length};
  options.quantize = {.inputs = false};
  EXPECT_EQ(make_policy(options, kTwoLayers)->plan().layers[1],
            (LayerFormats{format, {}, format, format, format}));
  options.quantize = {.outputs = false};
  EXPECT_EQ(make_policy(options, kTwoLayers)->plan().layers[1], (LayerFormats{format, format, {}, format}));
  options.quantize = {.gradients = false};
  EXPECT_EQ(make_policy(options, kTwoLayers)->plan().layers[1],
            (LayerFormats{format, format, format, {}, format}));
}

TEST(Policies, LeaveOutputsThatNoBatchNormReadsAsTheyAreWhereAskedTo) {
  const std::vector<LayerInfo> layers = {{.name = "plain", .parameters = 2},
                                         {.name = "normalized", .parameters = 2, .is_normalized = true}};
  for (const Policy name : {Policy::fixed, Policy::adapt, Policy::muppet}) {
    PolicyOptions options;
    options.name = name;
    options.formats = FormatScope::per_tensor;
    options.backward = Backward::quantized;
    const PrecisionPlan all = make_policy(options, layers)->plan();
    PrecisionPlan wanted = all;
    wanted.layers[0].outputs.reset();
    options.quantize = {.unnormalized = false};
    const PrecisionPlan normalized = make_policy(options, layers)->plan();
    EXPECT_TRUE(all.layers[0].outputs && all.layers[1].outputs) << name_of(name);
    EXPECT_EQ(normalized, wanted) << name_of(name);
  }
}

struct WrongOption {
  std::string key;
  std::function<void(PolicyOptions&)> set;
};

TEST(MakePolicy, WrongOptionsNameTheirKey) {
  const std::vector<WrongOption> fixed = {
      {"precision.fixed.word_length: is 1, must be in 2..32", [](auto& o) { o.fixed.word_length = 1; }},
      {"precision.fixed.word_length: is 33,", [](auto& o) { o.fixed.word_length = 33; }},
      {"precision.fixed.fractional_length: is 33,", [](auto& o) { o.fixed.fractional_length = 33; }},
  };
  const std::vector<WrongOption> adapt = {
      {"precision.adapt.word_length: is 0,", [](auto& o) { o.adapt.word_length = 0; }},
      {"precision.adapt.fractional_length: is -101,", [](auto& o) { o.adapt.fractional_length = -101; }},
      {"precision.adapt.lookback_lower: is 0,", [](auto& o) { o.adapt.lookback_lower = 0; }},
      {"precision.adapt.lookback_lower is 101; expected at most precision.adapt.lookback_upper (100)",
       [](auto& o) { o.adapt.lookback_lower = 101; }},
      {"precision.adapt.lookback_upper: is 1000001,", [](auto& o) { o.adapt.lookback_upper = 1000001; }},
      {"precision.adapt.resolution_lower: is 1,", [](auto& o) { o.adapt.resolution_lower = 1; }},
      {"precision.adapt.resolution_lower is 151; expected at most precision.adapt.resolution_upper (150)",
       [](auto& o) { o.adapt.resolution_lower = 151; }},
      {"precision.adapt.lookback_momentum: is 1.5, must be in 0..1",
       [](auto& o) { o.adapt.lookback_momentum = 1.5; }},
      {"precision.adapt.lookback_momentum: is nan",
       [](auto& o) { o.adapt.lookback_momentum = std::nan(""); }},
      {"precision.adapt.buffer_bits: is -1,", [](auto& o) { o.adapt.buffer_bits = -1; }},
      {"precision.adapt.buffer_bits: is 31,", [](auto& o) { o.adapt.buffer_bits = 31; }},
      {"precision.adapt.epsilon: is 0,", [](auto& o) { o.adapt.epsilon = 0; }},
      {"precision.adapt.epsilon: is nan,", [](auto& o) { o.adapt.epsilon = std::nan(""); }},
      {"precision.adapt.smoothing: is 0,", [](auto& o) { o.adapt.smoothing = 0; }},
      {"precision.adapt.tiers: 8 after 16, must be ascending",
       [](auto& o) {
         o.adapt.tiers = {16, 8};
       }},
      {"precision.adapt.tiers: is 33,", [](auto& o) { o.adapt.tiers = {33}; }},
  };
  for (const auto& [name, wrong_options] :
       {std::pair(Policy::fixed, fixed), std::pair(Policy::adapt, adapt)}) {
    for (const WrongOption& wrong : wrong_options) {
      PolicyOptions options;
      options.name = name;
      wrong.set(options);
      EXPECT_EQ(message_of_making(options).rfind(wrong.key, 0), 0U)
          << "expected: " << wrong.key << "\nfound: " << message_of_making(options);
    }
  }
}

TEST(PrecisionPenalty, ByHand) {
  PrecisionPlan plan;
  EXPECT_EQ(precision_penalty(plan, {}), 0.0);
  plan.layers.resize(2);
  plan.layers[0].weights = FixedFormat{8, 4};
  const std::vector<double> densities = {0.5, 0.75};
  EXPECT_EQ(precision_penalty(plan, densities), (0.25 * 0.5 + 1.0 * 0.75) / 2);
  EXPECT_THROW(precision_penalty(plan, std::vector<double>{0.5}), Failure);
}

}  // namespace
}  // namespace adapt
