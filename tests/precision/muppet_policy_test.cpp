// MuPPET on hand-made gradients: every diversity, violation and switch is known.

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.hpp"
#include "precision/gradient_blocks.hpp"
#include "precision/policy.hpp"

namespace adapt {
namespace {

PolicyOptions muppet_options() {
  PolicyOptions options;
  options.name = Policy::muppet;
  options.formats = FormatScope::per_tensor;
  options.backward = Backward::quantized;
  return options;
}

const std::vector<LayerInfo> kLayers = {{"conv1", 2, true, false}, {"conv2", 2}, {"fc", 2, false, true}};

using Gradient = std::vector<float>;
/// Three epochs of the same: Δ = 3 / 9.
const std::vector<Gradient> kAlike(3, Gradient{1.0F, 0.0F});
/// Two along one axis, one along the other: Δ = 3 / 5.
const std::vector<Gradient> kMixed = {{1.0F, 0.0F}, {1.0F, 0.0F}, {0.0F, 1.0F}};
/// Two that cancel: Δ = 3 / 1.
const std::vector<Gradient> kDiverse = {{1.0F, 0.0F}, {-1.0F, 0.0F}, {0.0F, 1.0F}};

/// A policy fed with two steps an epoch; the first one's gradients must not count.
class Training {
 public:
  explicit Training(const PolicyOptions& options = muppet_options())
      : policy_(make_policy(options, kLayers)) {}

  std::vector<SwitchEvent> epoch(const Gradient& gradient) {
    ++epoch_;
    EXPECT_TRUE(observe({1e6F * static_cast<float>(epoch_), -7.0F}, false).empty());
    return observe(gradient, true);
  }
  /// One epoch for each gradient; only the last may lead to a switch.
  std::vector<SwitchEvent> epochs(const std::vector<Gradient>& gradients) {
    std::vector<SwitchEvent> events;
    for (const Gradient& gradient : gradients) {
      EXPECT_TRUE(events.empty());
      events = epoch(gradient);
    }
    return events;
  }
  /// Lets epochs pass without a Δ below M.
  void pass_until(std::int64_t last_epoch) {
    while (epoch_ < last_epoch) {
      EXPECT_TRUE(epochs(kDiverse).empty());
    }
  }
  PrecisionPolicy& policy() { return *policy_; }
  [[nodiscard]] int word_length() const {
    const auto& format = policy_->plan().layers[1].weights;
    return format ? format->word_length : 32;
  }
  [[nodiscard]] double diversity() const { return policy_->state(0).diversity; }

 private:
  std::vector<SwitchEvent> observe(const Gradient& gradient, bool ends_epoch) {
    const LayerObservation layer = {gradient, gradient, 0, 1};
    return policy_->observe({++step_, epoch_, 1.0, {layer, layer, layer}, ends_epoch});
  }

  std::unique_ptr<PrecisionPolicy> policy_;
  std::int64_t epoch_ = 0;
  std::int64_t step_ = 0;
};

TEST(MuppetPolicy, QuantizesWhatThePublicationDoes) {
  Training training;
  const PrecisionPlan& plan = training.policy().plan();
  const FixedFormat format{8, 0};
  const LayerFormats inner = {
      .weights = format, .outputs = format, .gradients = format, .activation_gradients = format};
  LayerFormats reads = inner;  // the image, or an average pool
  reads.inputs = format;
  EXPECT_EQ(plan.layers, (std::vector<LayerFormats>{reads, inner, reads}));
  EXPECT_TRUE(plan.per_tensor);
  EXPECT_EQ(plan.final_phase, -1);
  EXPECT_FALSE(training.policy().wants_unit_gradients());
}

TEST(MuppetPolicy, DiversityIsOfTheLastBatchesOfABlockOfEpochs) {
  Training training;
  training.epoch(kMixed[0]);
  training.epoch(kMixed[1]);
  EXPECT_EQ(training.diversity(), 0.0) << "no Δ yet";
  training.epoch(kMixed[2]);
  EXPECT_DOUBLE_EQ(training.diversity(), 0.6);
  training.epoch(kAlike[0]);
  EXPECT_DOUBLE_EQ(training.diversity(), 0.6) << "the next block is not full";
  training.epochs({kAlike[1], kAlike[2]});
  EXPECT_DOUBLE_EQ(training.diversity(), 1.0 / 3);
}

TEST(MuppetPolicy, TwoViolationsLeadToTheNextLevel) {
  // M / Δ = 9 is far above the bound of any epoch.
  Training training;
  EXPECT_TRUE(training.epochs(kDiverse).empty());  // M = 3
  EXPECT_TRUE(training.epochs(kAlike).empty());    // first violation
  EXPECT_TRUE(training.epochs(kDiverse).empty());  // in between: none
  const auto events = training.epochs(kAlike);     // second, epoch 12, step 24
  ASSERT_EQ(events.size(), 3U);
  for (int layer = 0; layer < 3; ++layer) {
    const SwitchEvent& event = events[static_cast<std::size_t>(layer)];
    EXPECT_EQ(event.step, 24);
    EXPECT_EQ(event.layer, layer);
    EXPECT_EQ(event.before.value().word_length, 8);
    EXPECT_EQ(event.after.value().word_length, 12);
    EXPECT_DOUBLE_EQ(event.diversity, 1.0 / 3);
  }
  EXPECT_EQ(training.policy().plan().version, 1);
  EXPECT_EQ(training.word_length(), 12);
}

TEST(MuppetPolicy, ASwitchClearsLargestAndCount) {
  Training training;
  training.epochs(kDiverse);
  training.epochs(kAlike);
  ASSERT_EQ(training.epochs(kAlike).size(), 3U);
  EXPECT_TRUE(training.epochs(kAlike).empty()) << "the new M";
  EXPECT_TRUE(training.epochs(kAlike).empty()) << "Δ = M is no violation";
  EXPECT_TRUE(training.epochs(kDiverse).empty()) << "M grows";
  EXPECT_TRUE(training.epochs(kAlike).empty()) << "the first violation since";
  EXPECT_EQ(training.epochs(kAlike).size(), 3U);
  EXPECT_EQ(training.word_length(), 14);
}

TEST(MuppetPolicy, TheBoundFallsWithTheEpochs) {
  // M / Δ = 3 / 0.6 = 5; the bound is 1 + 50 e^-2.4 = 5.54 at epoch 24, and 1 + 50 e^-2.7 = 4.36 at 27.
  PolicyOptions options = muppet_options();
  options.muppet.slack = 50;
  options.muppet.violations = 1;
  Training early(options);
  early.pass_until(21);
  EXPECT_TRUE(early.epochs(kMixed).empty()) << "epoch 24";
  EXPECT_EQ(early.epochs(kMixed).size(), 3U) << "epoch 27";
}

TEST(MuppetPolicy, GoesThroughItsLevelsToFloat32AndStaysThere) {
  Training training;
  std::vector<int> word_lengths = {training.word_length()};
  std::int64_t epochs = 0;
  while (word_lengths.back() != 32) {
    training.epochs(kDiverse);
    training.epochs(kAlike);
    const auto events = training.epochs(kAlike);
    ASSERT_EQ(events.size(), 3U);
    word_lengths.push_back(training.word_length());
    epochs += 9;
    EXPECT_EQ(training.policy().plan().final_phase, word_lengths.back() == 32 ? epochs : -1);
    EXPECT_EQ(events[0].after.has_value(), word_lengths.back() != 32);
  }
  EXPECT_EQ(word_lengths, (std::vector<int>{8, 12, 14, 16, 32}));
  EXPECT_EQ(training.policy().plan().layers, std::vector<LayerFormats>(3));
  EXPECT_EQ(training.policy().plan().version, 4);
  training.epochs(kDiverse);
  EXPECT_TRUE(training.epochs(kAlike).empty());
  EXPECT_TRUE(training.epochs(kAlike).empty());
  EXPECT_EQ(training.policy().plan().version, 4);
}

TEST(MuppetPolicy, ASlidingWindowMovesByOneEpoch) {
  PolicyOptions options = muppet_options();
  options.muppet.window = DiversityWindow::sliding;
  Training training(options);
  training.epochs(kDiverse);  // M = 3
  EXPECT_TRUE(training.epoch({0.0F, 1.0F}).empty());
  EXPECT_DOUBLE_EQ(training.diversity(), 3.0 / 5) << "(-1,0) (0,1) (0,1): the first violation";
  EXPECT_EQ(training.epoch({0.0F, 1.0F}).size(), 3U) << "(0,1) three times: the second";
  EXPECT_TRUE(training.epoch({5.0F, 1.0F}).empty());
  EXPECT_TRUE(training.epoch({5.0F, 1.0F}).empty());
  EXPECT_DOUBLE_EQ(training.diversity(), 1.0 / 3) << "a new level starts with no gradients";
}

TEST(MuppetPolicy, ARestoredOneDecidesAlike) {
  PolicyOptions options = muppet_options();
  Training first(options);
  first.epochs(kDiverse);
  first.epochs(kAlike);
  first.epochs(kAlike);
  first.epochs(kDiverse);
  first.epochs(kAlike);
  first.epoch(kAlike[0]);
  const auto other = make_policy(options, kLayers);
  other->restore_state(first.policy().save_state());
  EXPECT_EQ(other->plan(), first.policy().plan());
  EXPECT_EQ(other->save_state(), first.policy().save_state());
  EXPECT_THROW(make_policy(options, {{"only", 2}})->restore_state(first.policy().save_state()), BadInput);
  const std::vector<std::byte> cut = [&] {
    auto bytes = first.policy().save_state();
    bytes.pop_back();
    return bytes;
  }();
  EXPECT_THROW(other->restore_state(cut), BadInput);
  // One more violation for both.
  const LayerObservation layer = {kAlike[0], kAlike[0], 0, 1};
  for (std::int64_t step = 40; step < 42; ++step) {
    EXPECT_EQ(other->observe({step, step, 1.0, {layer, layer, layer}, true}).size(),
              first.policy().observe({step, step, 1.0, {layer, layer, layer}, true}).size());
  }
  EXPECT_EQ(other->plan().layers[0].weights.value().word_length, 14);
  EXPECT_EQ(other->plan(), first.policy().plan());
}

TEST(MuppetPolicy, WrongOptionsNameTheirKey) {
  const auto message = [](auto change) {
    PolicyOptions options = muppet_options();
    change(options);
    try {
      make_policy(options, kLayers);
    } catch (const BadInput& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_EQ(
      message([](auto& o) { o.formats = FormatScope::per_layer; }),
      "precision.formats is per_layer, and precision.policy muppet scales each tensor; expected per_tensor");
  EXPECT_EQ(message([](auto& o) { o.backward = Backward::float32; }).substr(0, 29),
            "precision.backward is float32");
  EXPECT_EQ(message([](auto& o) { o.muppet.levels = {}; }),
            "precision.muppet.levels is empty; expected word lengths such as [8, 12]");
  EXPECT_EQ(message([](auto& o) {
              o.muppet.levels = {8, 8};
            }),
            "precision.muppet.levels: 8 after 8, must be ascending");
  EXPECT_EQ(message([](auto& o) { o.muppet.levels = {1}; }),
            "precision.muppet.levels: is 1, must be in 2..32");
  EXPECT_EQ(message([](auto& o) { o.muppet.resolution = 1; }),
            "precision.muppet.resolution: is 1, must be in 2..1000");
  EXPECT_EQ(message([](auto& o) { o.muppet.decay = std::nan(""); }).substr(0, 30),
            "precision.muppet.decay: is nan");
}

TEST(GradientBlocks, LayersWhoseGradientsCancelDoNotCount) {
  const Gradient one = {1.0F, 0.0F};
  const Gradient minus = {-1.0F, 0.0F};
  const Gradient zero = {0.0F, 0.0F};
  const auto step = [](const Gradient& a, const Gradient& b) {
    return StepObservation{1, 1, 0, {{a, a, 0, 1}, {b, b, 0, 1}}, true};
  };
  GradientBlocks blocks(2);
  blocks.add(step(one, one));
  blocks.add(step(one, minus));
  EXPECT_DOUBLE_EQ(blocks.diversity(), 0.5);
  blocks.add(step(zero, one));
  EXPECT_TRUE(blocks.full());
  EXPECT_DOUBLE_EQ(blocks.diversity(), 1.0) << "1 / 1, and the second cancels";
  blocks.add(step(zero, minus));
  EXPECT_DOUBLE_EQ(blocks.diversity(), 1.0) << "nothing counts";
}

}  // namespace
}  // namespace adapt
