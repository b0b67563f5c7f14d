#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <sstream>
#include <utility>

#include "base/error.hpp"
#include "numerics/random.hpp"
#include "precision/policy.hpp"

namespace adapt {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double norm_of(const std::vector<float>& values) {
  double sum = 0;
  for (const double value : values) {
    sum += value * value;
  }
  return std::sqrt(sum);
}

PolicyOptions small_options() {
  PolicyOptions options;
  options.name = Policy::adapt;
  options.adapt.lookback_lower = 2;
  options.adapt.lookback_upper = 4;
  options.adapt.resolution_lower = 4;
  options.adapt.resolution_upper = 6;
  options.adapt.lookback_momentum = 1.0;
  options.adapt.buffer_bits = 2;
  return options;
}

// One layer whose weights are always ±1, so that PushDown finds ⟨2, 0⟩.
class OneLayer {
 public:
  explicit OneLayer(const PolicyOptions& options) : policy_(make_policy(options, {{"layer", 2}})) {}

  std::vector<SwitchEvent> step(std::vector<float> gradient, double loss) {
    const std::vector<float> weights = {-1.0F, 1.0F};
    StepObservation observation;
    observation.step = ++step_;
    observation.loss = loss;
    observation.layers = {{weights, gradient, norm_of(gradient), 1.0}};
    return policy_->observe(observation);
  }

  PrecisionPolicy& policy() { return *policy_; }

 private:
  std::unique_ptr<PrecisionPolicy> policy_;
  std::int64_t step_ = 0;
};

void expect_switch(const std::vector<SwitchEvent>& events, const SwitchEvent& expected) {
  ASSERT_EQ(events.size(), 1U);
  const SwitchEvent& found = events.front();
  EXPECT_EQ(found.step, expected.step);
  EXPECT_EQ(found.layer, expected.layer);
  EXPECT_EQ(found.before, expected.before);
  EXPECT_EQ(found.after, expected.after);
  EXPECT_EQ(found.minimal, expected.minimal);
  EXPECT_EQ(found.lookback, expected.lookback);
  EXPECT_EQ(found.resolution, expected.resolution);
  EXPECT_EQ(found.diversity, expected.diversity);
  EXPECT_EQ(found.divergence, expected.divergence);
  EXPECT_EQ(found.strategy, expected.strategy);
}

TEST(AdaptPolicy, StartsAsConfigured) {
  OneLayer layer(small_options());
  const FixedFormat start{8, 4};
  EXPECT_EQ(layer.policy().plan(), (PrecisionPlan{0, {{start, start, start, start, start}}}));
  EXPECT_EQ(layer.policy().strategy(), "min");
  EXPECT_EQ(layer.policy().state(0).lookback, 2);
  EXPECT_EQ(layer.policy().state(0).resolution, 4);
  EXPECT_EQ(layer.policy().state(0).diversity, 0.0);
}

TEST(AdaptPolicy, AHandMadeRun) {
  OneLayer layer(small_options());
  const FixedFormat minimal{2, 0};

  // Steps 1-2, equal gradients: Δ = 1, lb = 4 = lb_upr, r = 5. Loss falls (mean 3 > 2): min; L < 0: s = 1.
  EXPECT_TRUE(layer.step({1.0F, 0.0F}, 4).empty());
  expect_switch(layer.step({1.0F, 0.0F}, 2),
                {2, 0, FixedFormat{8, 4}, FixedFormat{3, 1}, minimal, 4, 5, 1.0, 0.0, "min"});
  EXPECT_EQ(layer.policy().plan().version, 1);
  const FixedFormat now{3, 1};
  EXPECT_EQ(layer.policy().plan().layers[0], (LayerFormats{now, now, now, now, now}));

  // Steps 3-6, gradients that cancel: Δ = inf, lb = 2, r = 4. Loss stands still (mean of the last 4 is 2):
  // mean; s = ceil((1 + 32) / 2) = 17.
  EXPECT_TRUE(layer.step({1.0F, 0.0F}, 2).empty());
  EXPECT_TRUE(layer.step({-1.0F, 0.0F}, 2).empty());
  EXPECT_TRUE(layer.step({1.0F, 0.0F}, 2).empty());
  expect_switch(layer.step({-1.0F, 0.0F}, 2),
                {6, 0, FixedFormat{3, 1}, FixedFormat{19, 17}, minimal, 2, 4, kInfinity, 0.0, "mean"});

  // Steps 7-8, no gradient at all: Δ = inf again, r stays at its lower end. Loss rises: max; s = 32.
  EXPECT_TRUE(layer.step({0.0F, 0.0F}, 2).empty());
  expect_switch(layer.step({0.0F, 0.0F}, 3),
                {8, 0, FixedFormat{19, 17}, FixedFormat{32, 30}, minimal, 2, 4, kInfinity, 0.0, "max"});

  // Steps 9-10, orthogonal gradients: Δ = √2, lb = ceil(2.83) = 3, r stays. Loss falls: min; PushDown from 32
  // bits.
  EXPECT_TRUE(layer.step({1.0F, 0.0F}, 3).empty());
  expect_switch(layer.step({0.0F, 1.0F}, 1), {10, 0, FixedFormat{32, 30}, FixedFormat{3, 1}, minimal, 3, 4,
                                              2 / std::sqrt(2.0), 0.0, "min"});
  EXPECT_EQ(layer.policy().plan().version, 4);
  EXPECT_EQ(layer.policy().state(0).lookback, 3);
  EXPECT_EQ(layer.policy().state(0).diversity, 2 / std::sqrt(2.0));

  // The next window is three steps long.
  EXPECT_TRUE(layer.step({1.0F, 0.0F}, 1).empty());
  EXPECT_TRUE(layer.step({1.0F, 0.0F}, 1).empty());
  EXPECT_EQ(layer.step({1.0F, 0.0F}, 1).size(), 1U);
}

TEST(AdaptPolicy, FixedStrategyIgnoresTheLoss) {
  PolicyOptions options = small_options();
  options.adapt.strategy = Strategy::max;
  OneLayer layer(options);
  layer.step({0.0F, 0.0F}, 9);
  const auto events = layer.step({0.0F, 0.0F}, 1);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].strategy, "max");
  EXPECT_EQ(events[0].after, (FixedFormat{32, 30}));
}

TEST(AdaptPolicy, TiersRoundWordLengthsUp) {
  PolicyOptions options = small_options();
  options.adapt.strategy = Strategy::max;
  options.adapt.tiers = {6, 24};
  OneLayer layer(options);
  const auto start = layer.policy().plan().layers[0].weights.value();
  EXPECT_EQ(start.word_length, 24) << "of " << options.adapt.word_length;
  EXPECT_EQ(start.fractional_length, options.adapt.fractional_length);
  layer.step({0.0F, 0.0F}, 9);
  auto events = layer.step({0.0F, 0.0F}, 1);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].after, (FixedFormat{32, 30})) << "above all tiers: as it is";
  options.adapt.strategy = Strategy::min;
  OneLayer low(options);
  low.step({1.0F, 0.0F}, 9);
  events = low.step({1.0F, 0.0F}, 1);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].after, (FixedFormat{6, 1})) << "⟨3, 1⟩ without tiers";
}

TEST(AdaptPolicy, LeavesOutWhatIsNotQuantizedAfterASwitchToo) {
  PolicyOptions options = small_options();
  options.quantize = {.inputs = false, .outputs = false, .gradients = false};
  OneLayer layer(options);
  layer.step({1.0F, 0.0F}, 2);
  layer.step({1.0F, 0.0F}, 1);
  EXPECT_EQ(layer.policy().plan().layers[0], (LayerFormats{FixedFormat{3, 1}, {}, {}, {}}));
}

TEST(AdaptPolicy, LeavesOutputsWithoutABatchNormAsTheyAreAfterASwitchToo) {
  PolicyOptions options = small_options();
  options.quantize = {.unnormalized = false};
  OneLayer layer(options);
  layer.step({1.0F, 0.0F}, 2);
  layer.step({1.0F, 0.0F}, 1);
  const FixedFormat format{3, 1};
  EXPECT_EQ(layer.policy().plan().layers[0], (LayerFormats{format, format, {}, format, format}));
}

/// The word length after a window of two steps, of weights that need two bits and of such activations.
int watched_word_length(Watched watch, const std::vector<float>& inputs, const std::vector<float>& outputs) {
  PolicyOptions options = small_options();
  options.adapt.watch = watch;
  options.adapt.buffer_bits = 0;
  options.adapt.growth = Growth::word;
  const auto policy = make_policy(options, {{"layer", 2}});
  const std::vector<float> weights = {-1.0F, 1.0F};
  const std::vector<float> gradient = {1.0F, 0.0F};
  for (std::int64_t step = 1; step <= 2; ++step) {
    EXPECT_EQ(policy->wants_activations(), watch == Watched::activations && step == 2) << step;
    policy->observe({step, 1, 1.0, {{weights, gradient, 1.0, 1.0, {inputs, outputs}}}});
  }
  return policy->plan().layers[0].weights->word_length;
}

TEST(AdaptPolicy, TheLongerWordOfWeightsAndActivationsCounts) {
  std::vector<float> fine;  // each its own bin of four: 2 bits cannot tell them apart
  for (int i = 0; i < 64; ++i) {
    fine.push_back(static_cast<float>(i) / 64);
  }
  const int weights = watched_word_length(Watched::weights, fine, fine);
  EXPECT_EQ(watched_word_length(Watched::activations, {}, {}), weights) << "float32: nothing to watch";
  EXPECT_EQ(watched_word_length(Watched::activations, {-1, 1}, {1, -1}), weights) << "they need no more";
  EXPECT_GT(watched_word_length(Watched::activations, fine, {-1, 1}), weights);
  EXPECT_GT(watched_word_length(Watched::activations, {-1, 1}, fine), weights);
}

TEST(AdaptPolicy, WrongObservationsAndBadNumbersNameTheLayer) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto policy = make_policy(small_options(), {{"conv1", 2}});
  const std::vector<float> two = {1.0F, 2.0F};
  const std::vector<float> three = {1.0F, 2.0F, 3.0F};
  const std::vector<float> broken = {1.0F, nan};
  const auto message_of = [&](LayerObservation layer) {
    try {
      policy->observe({7, 1, 1.0, {layer}});
    } catch (const Failure& error) {
      return std::string(error.what());
    }
    return std::string("nothing was thrown");
  };
  EXPECT_EQ(message_of({two, three, 1, 1}),
            "step 7, layer conv1: 2 weights and 3 gradients observed, expected 2");
  EXPECT_EQ(message_of({three, two, 1, 1}),
            "step 7, layer conv1: 3 weights and 2 gradients observed, expected 2");
  EXPECT_NE(message_of({two, two, nan, 1}).find("step 7, layer conv1: the gradient holds NaN"),
            std::string::npos);
  EXPECT_EQ(message_of({broken, two, 1, 1}), "nothing was thrown")
      << "weights are looked at when a window ends";
  EXPECT_NE(message_of({broken, two, 1, 1}).find("step 7, layer conv1: the weights hold NaN"),
            std::string::npos);
  EXPECT_THROW(policy->observe({}), Failure);
  EXPECT_THROW(make_policy(small_options(), {{"empty", 0}}), Failure);
}

// Two layers over many steps, with gradients and weights drawn from the step number.
class RandomRun {
 public:
  RandomRun() {
    PolicyOptions options;
    options.name = Policy::adapt;
    options.adapt.lookback_lower = 3;
    options.adapt.lookback_upper = 9;
    policy_ = make_policy(options, {{"wide", 1500}, {"small", 20}});
  }

  // Events of steps first..last, as text.
  std::string run(std::uint32_t first, std::uint32_t last) {
    std::ostringstream text;
    for (std::uint32_t step = first; step <= last; ++step) {
      RandomSequence random({.seed = 3, .step = step});
      const std::vector<float> wide = draw(random, 1500);
      const std::vector<float> wide_gradient = draw(random, 1500);
      const std::vector<float> small = draw(random, 20);
      const std::vector<float> small_gradient(20, step % 7 == 0 ? -0.5F : 0.5F);
      StepObservation observation{step,
                                  1,
                                  1 + random.uniform(),
                                  {{wide, wide_gradient, norm_of(wide_gradient), 1},
                                   {small, small_gradient, norm_of(small_gradient), 1}}};
      if (helper_) {
        observation.push_downs = [&](const std::vector<PushDownJob>& jobs) {
          return helper_(jobs, observation.layers);
        };
      }
      for (const SwitchEvent& event : policy_->observe(observation)) {
        text.precision(17);
        text << event.step << ' ' << event.layer << ' ' << *event.after << ' ' << *event.minimal << ' '
             << event.lookback << ' ' << event.resolution << ' ' << event.diversity << ' ' << event.divergence
             << ' ' << event.strategy << '\n';
      }
    }
    return text.str();
  }

  PrecisionPolicy& policy() { return *policy_; }

  /// Who does the PushDowns from now on.
  using Helper = std::function<std::vector<PushDownResult>(const std::vector<PushDownJob>& jobs,
                                                           const std::vector<LayerObservation>& layers)>;
  void help(Helper helper) { helper_ = std::move(helper); }

 private:
  static std::vector<float> draw(RandomSequence& random, std::size_t count) {
    std::vector<float> values(count);
    for (float& value : values) {
      value = static_cast<float>(0.1 * random.normal());
    }
    return values;
  }

  std::unique_ptr<PrecisionPolicy> policy_;
  Helper helper_;
};

TEST(AdaptPolicy, ItDoesNotMatterWhoDoesThePushDowns) {
  RandomRun alone;
  RandomRun helped;
  std::size_t most = 0;
  helped.help([&](const std::vector<PushDownJob>& jobs, const std::vector<LayerObservation>& layers) {
    most = std::max(most, jobs.size());
    std::vector<PushDownResult> results(jobs.size());
    for (std::size_t i = jobs.size(); i-- > 0;) {
      results[i] = push_down(layers[static_cast<std::size_t>(jobs[i].layer)].weights, jobs[i]);
    }
    return results;
  });
  EXPECT_EQ(helped.run(1, 60), alone.run(1, 60));
  EXPECT_EQ(helped.policy().save_state(), alone.policy().save_state());
  EXPECT_EQ(most, 2U) << "both layers at once";
}

TEST(AdaptPolicy, SameObservationsSameDecisions) {
  RandomRun a;
  RandomRun b;
  const std::string events = a.run(1, 60);
  EXPECT_EQ(events, b.run(1, 60));
  EXPECT_EQ(a.policy().plan(), b.policy().plan());
  EXPECT_GT(std::ranges::count(events, '\n'), 15) << events;
  EXPECT_NE(events.find("\n8 1 "), std::string::npos) << "the layers should switch at different steps\n"
                                                      << events;
}

TEST(AdaptPolicy, RestoredInTheMiddleOfAWindowItGoesOnTheSame) {
  RandomRun whole;
  RandomRun before;
  RandomRun after;
  whole.run(1, 31);
  before.run(1, 31);
  after.policy().restore_state(before.policy().save_state());
  EXPECT_EQ(after.policy().plan(), whole.policy().plan());
  EXPECT_EQ(after.policy().strategy(), whole.policy().strategy());
  EXPECT_EQ(after.policy().state(1).lookback, whole.policy().state(1).lookback);
  EXPECT_EQ(after.run(32, 60), whole.run(32, 60));
  EXPECT_EQ(after.policy().save_state(), whole.policy().save_state());
}

TEST(AdaptPolicy, StateThatDoesNotFitIsRefused) {
  RandomRun run;
  run.run(1, 5);
  std::vector<std::byte> state = run.policy().save_state();
  const auto other = make_policy(small_options(), {{"layer", 2}});
  EXPECT_THROW(other->restore_state(state), BadInput);
  EXPECT_THROW(run.policy().restore_state(std::span(state).first(state.size() - 1)), BadInput);
  EXPECT_THROW(run.policy().restore_state({}), BadInput);
  state.push_back(std::byte{0});
  EXPECT_THROW(run.policy().restore_state(state), BadInput);
}

}  // namespace
}  // namespace adapt
