// The state of a training step, saved and put back in another object.

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/error.hpp"
#include "bench/synthetic.hpp"
#include "support/world.hpp"
#include "train/step.hpp"

namespace adapt {
namespace {

TrainerOptions options_of(Policy policy, FormatScope formats) {
  TrainerOptions options;
  options.model.name = "lenet5";
  options.training.batch = 16;
  options.training.shards = 4;
  options.engine.name = Engine::emulated;
  options.precision.name = policy;
  options.precision.formats = formats;
  options.precision.backward = formats == FormatScope::per_tensor ? Backward::quantized : Backward::float32;
  options.precision.adapt.lookback_lower = 1;
  options.precision.adapt.lookback_upper = 3;
  return options;
}

std::vector<double> losses(TrainingStep& step, int steps) {
  std::vector<double> values;
  for (int i = 0; i < steps; ++i) {
    values.push_back(step.run(0.05).record.cross_entropy);
  }
  return values;
}

/// Rank 0's state on all ranks, as a checkpoint brings it.
std::vector<std::byte> shared_state(const TrainingStep& step) {
  const std::vector<std::byte> own = step.save_state();
  const std::string text =
      test::world().broadcast(std::string(reinterpret_cast<const char*>(own.data()), own.size()));
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

void expect_goes_on_alike(const TrainerOptions& options) {
  const DataSplits data = synthetic_images("lenet5", 48);  // three steps an epoch
  TrainingStep whole(options, data, test::world());
  losses(whole, 4);
  const std::vector<std::byte> state = shared_state(whole);
  TrainingStep parts(options, data, test::world());
  parts.restore_state(state);
  EXPECT_EQ(parts.steps(), 4);
  EXPECT_EQ(parts.plan(), whole.plan());
  EXPECT_EQ(losses(parts, 4), losses(whole, 4));
  EXPECT_EQ(shared_state(parts), shared_state(whole));
}

TEST(Restore, GoesOnAlike) {
  expect_goes_on_alike(options_of(Policy::adapt, FormatScope::per_layer));
  expect_goes_on_alike(options_of(Policy::adapt, FormatScope::per_tensor));
  expect_goes_on_alike(options_of(Policy::muppet, FormatScope::per_tensor));
  expect_goes_on_alike(options_of(Policy::fixed, FormatScope::per_layer));
}

TEST(Restore, StateOfAnotherModelOrPolicyIsRefused) {
  const DataSplits data = synthetic_images("lenet5", 48);
  const TrainingStep adapt(options_of(Policy::adapt, FormatScope::per_layer), data, test::world());
  TrainingStep fixed(options_of(Policy::fixed, FormatScope::per_layer), data, test::world());
  EXPECT_THROW(fixed.restore_state(adapt.save_state()), BadInput);
  TrainingStep per_tensor(options_of(Policy::adapt, FormatScope::per_tensor), data, test::world());
  EXPECT_THROW(per_tensor.restore_state(adapt.save_state()), BadInput);
  TrainerOptions other = options_of(Policy::adapt, FormatScope::per_layer);
  other.model.name = "resnet20";
  TrainingStep resnet(other, synthetic_images("resnet20", 48), test::world());
  EXPECT_THROW(resnet.restore_state(adapt.save_state()), BadInput);
}

/// What an attacker could put into a checkpoint leads to an error or to some state, never to a crash.
TEST(Restore, ForgedStateIsReadOrRefused) {
  const DataSplits data = synthetic_images("lenet5", 48);
  std::mt19937 random(3);
  for (const Policy policy : {Policy::adapt, Policy::muppet}) {
    TrainingStep step(options_of(policy, FormatScope::per_tensor), data, test::world());
    losses(step, 2);
    const std::vector<std::byte> whole = shared_state(step);
    int refused = 0;
    for (int round = 0; round < 40; ++round) {
      std::vector<std::byte> forged = whole;
      // Nine of ten bytes are weights; what follows them says more.
      const std::size_t tail = std::min<std::size_t>(forged.size(), round % 2 == 0 ? 1500 : forged.size());
      for (int change = 0; change < 8; ++change) {
        forged[forged.size() - 1 - random() % tail] =
            static_cast<std::byte>(random() % 2 == 0 ? 0xFF : random());
      }
      try {
        step.restore_state(forged);
      } catch (const Error&) {
        ++refused;
      }
    }
    EXPECT_GT(refused, 0) << policy;
  }
}

}  // namespace
}  // namespace adapt
