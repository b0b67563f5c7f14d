// The controller on several ranks, beside a policy that is run by hand on one.

#include <gtest/gtest.h>
#include <mpi.h>

#include <cmath>
#include <numeric>
#include <utility>

#include "base/error.hpp"
#include "control/controller.hpp"
#include "control/working_weights.hpp"
#include "mpi/together.hpp"
#include "numerics/random.hpp"
#include "support/small_state.hpp"
#include "support/world.hpp"

namespace {

/// Broadcasts that this rank took part in since the last look.
int broadcasts = 0;

}  // namespace

// MPI's profiling interface: the program's own MPI_Bcast counts and calls the real one.
extern "C" int MPI_Bcast(void* data, int count, MPI_Datatype type, int root, MPI_Comm communicator) {
  ++broadcasts;
  return PMPI_Bcast(data, count, type, root, communicator);
}

namespace adapt {
namespace {

constexpr std::size_t kLayers = 3;
constexpr std::int64_t kStepsOfEpoch = 3;
constexpr std::uint64_t kSeed = 11;

std::vector<float> normal(std::size_t count, double deviation, std::uint32_t tensor, std::uint32_t step) {
  RandomSequence random({.seed = 7, .tensor = tensor, .step = step});
  std::vector<float> values(count);
  for (float& value : values) {
    value = static_cast<float>(deviation * random.normal());
  }
  return values;
}

/// Three layers that are large enough for their PushDowns to be spread, one with a bias, and a parameter of
/// none of them.
std::shared_ptr<ModelState> make_state() {
  const auto state = std::make_shared<ModelState>();
  const auto add = [&](const std::string& name, ParameterRole role, int layer, std::size_t count) {
    const auto tensor = static_cast<std::uint32_t>(state->parameters.size());
    state->parameters.push_back(
        test::parameter(name, role, layer, normal(count, 0.1 * (1 + tensor), tensor, 0)));
  };
  add("a.weight", ParameterRole::weight, 0, 4000);
  add("a.bias", ParameterRole::bias, 0, 40);
  add("b.weight", ParameterRole::weight, 1, 14000);
  add("free.scale", ParameterRole::scale, -1, 10);
  add("c.weight", ParameterRole::weight, 2, 6000);
  return state;
}

std::vector<LayerInfo> layers() { return {{"a", 4000, true}, {"b", 14000}, {"c", 6000}}; }

PolicyOptions policy_options(Policy name, FormatScope formats = FormatScope::per_layer) {
  PolicyOptions options;
  options.name = name;
  options.formats = formats;
  options.backward = formats == FormatScope::per_tensor ? Backward::quantized : Backward::float32;
  options.adapt.lookback_lower = 1;
  options.adapt.lookback_upper = 3;
  options.muppet.resolution = 2;
  options.muppet.threshold = 0;
  options.muppet.slack = 0;
  options.muppet.violations = 1;
  return options;
}

ControllerOptions options_of(Policy name, FormatScope formats = FormatScope::per_layer) {
  return {.policy = policy_options(name, formats), .seed = kSeed, .penalty = true};
}

/// The gradients of a step, by parameter; the same on all ranks, as those of the optimizer.
std::vector<std::vector<float>> gradients_of(const ModelState& state, std::int64_t step) {
  std::vector<std::vector<float>> gradients;
  for (const Parameter& parameter : state.parameters) {
    const auto tensor = static_cast<std::uint32_t>(100 + gradients.size());
    gradients.push_back(normal(parameter.master.size(), 0.02, tensor, static_cast<std::uint32_t>(step)));
  }
  return gradients;
}

double norm_of(std::span<const float> values) {
  return std::sqrt(std::transform_reduce(values.begin(), values.end(), 0.0, std::plus<>(),
                                         [](double value) { return value * value; }));
}

/// What the optimizer does. Returns the extremes of the masters.
std::vector<Extremes> move_masters(ModelState& state, const std::vector<std::vector<float>>& gradients) {
  std::vector<Extremes> all;
  for (std::size_t p = 0; p < gradients.size(); ++p) {
    for (std::size_t i = 0; i < gradients[p].size(); ++i) {
      state.parameters[p].master[i] -= gradients[p][i];
    }
    all.push_back(extremes(state.parameters[p].master));
  }
  return all;
}

double reported_loss(std::int64_t step) { return 2.0 / static_cast<double>(step); }

/// One step as train/step.cpp does it. This rank sees a gradient and activations of its own, the largest ones
/// on the last rank.
StepDecision run_step(Controller& controller, ModelState& state, std::int64_t step) {
  const auto gradients = gradients_of(state, step);
  const float share = 1.0F / static_cast<float>(test::world().size() - test::world().rank());
  mpi::together(test::world(), [&] {
    controller.begin(step);
    for (std::size_t p = 0; p < gradients.size(); ++p) {
      Parameter& parameter = state.parameters[p];
      for (std::size_t i = 0; i < gradients[p].size(); ++i) {
        parameter.gradient[i] = share * gradients[p][i];
      }
      controller.observe_gradient(parameter, std::nullopt);
    }
    if (controller.maxima() != nullptr) {
      raise((*controller.maxima())[1].inputs, share * static_cast<float>(step));
    }
  });
  controller.reduce_maxima();
  StepReport report;
  report.epoch = (step - 1) / kStepsOfEpoch + 1;
  report.ends_epoch = step % kStepsOfEpoch == 0;
  report.loss = reported_loss(step);
  report.gradient = [&](std::size_t p) { return TakenGradient{gradients[p], norm_of(gradients[p])}; };
  StepDecision decision = controller.decide(report);
  const std::vector<Extremes> masters = move_masters(state, gradients);
  mpi::alike(test::world(), [&] { controller.requantize(masters, decision); });
  return decision;
}

/// The meaning: each rank runs the policy by itself, on the whole step, with all PushDowns.
class ByHand {
 public:
  explicit ByHand(const ControllerOptions& options)
      : state(make_state()), policy(make_policy(options.policy, layers())), plan(policy->plan()) {
    densities_ = make_working_weights(*state, plan, kSeed, 0);
  }

  StepDecision run(std::int64_t step) {
    const auto gradients = gradients_of(*state, step);
    StepDecision decision;
    decision.loss = reported_loss(step) + precision_penalty(plan, densities_);
    StepObservation seen;
    seen.step = step;
    seen.epoch = (step - 1) / kStepsOfEpoch + 1;
    seen.loss = decision.loss;
    seen.ends_epoch = step % kStepsOfEpoch == 0;
    for (std::size_t layer = 0; layer < kLayers; ++layer) {
      const std::size_t p = 2 * layer;  // its weight
      seen.layers.push_back(
          {state->parameters[p].master, gradients[p], norm_of(gradients[p]), densities_[layer]});
      decision.layers.push_back(
          {plan.layers[layer], policy->state(static_cast<int>(layer)), densities_[layer]});
    }
    decision.switches = policy->observe(seen);
    decision.strategy = policy->strategy();
    plan = policy->plan();
    move_masters(*state, gradients);
    densities_ = make_working_weights(*state, plan, kSeed, static_cast<std::uint32_t>(step));
    return decision;
  }

  std::shared_ptr<ModelState> state;
  std::unique_ptr<PrecisionPolicy> policy;
  PrecisionPlan plan;

 private:
  std::vector<double> densities_;
};

void expect_same(const StepDecision& decision, const StepDecision& expected) {
  EXPECT_EQ(decision.loss, expected.loss);
  EXPECT_EQ(decision.strategy, expected.strategy);
  ASSERT_EQ(decision.layers.size(), expected.layers.size());
  for (std::size_t i = 0; i < expected.layers.size(); ++i) {
    EXPECT_EQ(decision.layers[i].formats, expected.layers[i].formats) << i;
    EXPECT_EQ(decision.layers[i].density, expected.layers[i].density) << i;
    EXPECT_EQ(decision.layers[i].state.lookback, expected.layers[i].state.lookback) << i;
    EXPECT_EQ(decision.layers[i].state.divergence, expected.layers[i].state.divergence) << i;
  }
  ASSERT_EQ(decision.switches.size(), expected.switches.size());
  for (std::size_t i = 0; i < expected.switches.size(); ++i) {
    EXPECT_EQ(decision.switches[i].step, expected.switches[i].step) << i;
    EXPECT_EQ(decision.switches[i].layer, expected.switches[i].layer) << i;
    EXPECT_EQ(decision.switches[i].before, expected.switches[i].before) << i;
    EXPECT_EQ(decision.switches[i].after, expected.switches[i].after) << i;
    EXPECT_EQ(decision.switches[i].minimal, expected.switches[i].minimal) << i;
  }
}

void expect_same_weights(const ModelState& state, const ModelState& expected) {
  for (std::size_t p = 0; p < expected.parameters.size(); ++p) {
    EXPECT_EQ(state.parameters[p].working, expected.parameters[p].working) << expected.parameters[p].name;
  }
}

/// The policy's state and, by hand, nothing else: that is what checkpoints hold.
std::vector<std::byte> state_by_hand(const ByHand& expected) {
  StateWriter writer;
  writer.put_all(std::span<const std::byte>(expected.policy->save_state()));
  return writer.take();
}

std::vector<std::byte> saved(const Controller& controller) {
  StateWriter writer;
  controller.save_state(writer);
  return writer.take();
}

TEST(Controller, DecidesAsThePolicyAloneWouldWithPushDownsSpread) {
  const auto state = make_state();
  Controller controller(options_of(Policy::adapt), layers(), state, test::world());
  ByHand expected(options_of(Policy::adapt));
  expect_same_weights(*state, *expected.state);
  std::size_t switches = 0;
  int spread = 0;  // steps with more broadcasts than notice and plan
  for (std::int64_t step = 1; step <= 8; ++step) {
    broadcasts = 0;
    const StepDecision decision = run_step(controller, *state, step);
    spread += broadcasts > 2 ? 1 : 0;
    const StepDecision alone = expected.run(step);
    switches += alone.switches.size();
    expect_same(decision, test::world().rank() == 0 ? alone : StepDecision{});
    EXPECT_EQ(controller.plan(), expected.plan) << "step " << step;
    expect_same_weights(*state, *expected.state);
  }
  EXPECT_GT(switches, kLayers);
  EXPECT_EQ(spread > 0, test::world().size() > 1);
  if (test::world().rank() == 0) {
    EXPECT_EQ(saved(controller), state_by_hand(expected));
  }
}

TEST(Controller, AllRanksTakeTheLargestMaximaForTheirScales) {
  const auto state = make_state();
  Controller controller(options_of(Policy::adapt, FormatScope::per_tensor), layers(), state, test::world());
  EXPECT_FALSE(controller.plan().layers[1].inputs.has_value()) << "no scale yet";
  EXPECT_TRUE(controller.decided().layers[1].inputs.has_value());
  for (std::int64_t step = 1; step <= 4; ++step) {
    const auto before = controller.plan().layers;
    const StepDecision decision = run_step(controller, *state, step);
    for (const SwitchEvent& event : decision.switches) {
      const auto layer = static_cast<std::size_t>(event.layer);
      EXPECT_EQ(event.before, before[layer].weights);
      EXPECT_EQ(event.after, controller.plan().layers[layer].weights);
    }
    const FixedFormat decided = controller.decided().layers[1].inputs.value();
    const int length = fitting_fractional_length(decided.word_length, static_cast<float>(step));
    EXPECT_EQ(controller.plan().layers[1].inputs, (FixedFormat{decided.word_length, length}));
    const std::string rank0 = test::world().broadcast(concat(length, " ", controller.plan().version));
    EXPECT_EQ(rank0, concat(length, " ", controller.plan().version));
  }
}

TEST(Controller, CalibrationGivesEachTensorThatIsRaisedAScale) {
  const auto state = make_state();
  Controller controller(options_of(Policy::adapt, FormatScope::per_tensor), layers(), state, test::world());
  controller.calibrate([&](const PrecisionPlan& plan, std::vector<LayerMaxima>& maxima) {
    EXPECT_EQ(plan, controller.plan());
    raise(maxima[0].outputs, 1.0F);
    state->parameters[4].gradient[17] = -0.25F;
  });
  EXPECT_EQ(controller.plan().layers[0].outputs, (FixedFormat{8, 6}));
  EXPECT_FALSE(controller.plan().layers[1].outputs.has_value());
  EXPECT_EQ(controller.plan().layers[2].gradients, (FixedFormat{8, 8}));
}

/// Rank 0's state on all ranks, as a checkpoint brings it.
std::vector<std::byte> shared_state(const Controller& controller) {
  const std::vector<std::byte> own = saved(controller);
  const std::string text =
      test::world().broadcast(std::string(reinterpret_cast<const char*>(own.data()), own.size()));
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

void expect_goes_on_alike(const ControllerOptions& options) {
  constexpr std::int64_t kSaved = 5;
  const auto state = make_state();
  Controller controller(options, layers(), state, test::world());
  for (std::int64_t step = 1; step <= kSaved; ++step) {
    run_step(controller, *state, step);
  }
  const std::vector<std::byte> bytes = shared_state(controller);
  const auto other_state = make_state();
  Controller other(options, layers(), other_state, test::world());
  for (std::size_t p = 0; p < state->parameters.size(); ++p) {
    other_state->parameters[p].master = state->parameters[p].master;
  }
  StateReader reader(bytes);
  other.restore_state(reader, kSaved);
  reader.finish();
  EXPECT_EQ(other.plan(), controller.plan());
  expect_same_weights(*other_state, *state);
  for (std::int64_t step = kSaved + 1; step <= kSaved + 5; ++step) {
    const StepDecision decision = run_step(controller, *state, step);
    expect_same(run_step(other, *other_state, step), decision);
    EXPECT_EQ(other.plan(), controller.plan()) << "step " << step;
    expect_same_weights(*other_state, *state);
  }
  EXPECT_EQ(shared_state(other), shared_state(controller));
}

TEST(Controller, ARestoredOneDecidesAlike) {
  expect_goes_on_alike(options_of(Policy::adapt));
  expect_goes_on_alike(options_of(Policy::adapt, FormatScope::per_tensor));
  expect_goes_on_alike(options_of(Policy::muppet, FormatScope::per_tensor));
  expect_goes_on_alike(options_of(Policy::fixed));
  expect_goes_on_alike(options_of(Policy::float32));
}

TEST(Controller, RefusesTheStateOfAnotherPolicy) {
  const auto state = make_state();
  const Controller fixed(options_of(Policy::fixed), layers(), state, test::world());
  Controller adapt(options_of(Policy::adapt), layers(), state, test::world());
  const std::vector<std::byte> bytes = saved(fixed);
  StateReader reader(bytes);
  EXPECT_THROW(adapt.restore_state(reader, 1), BadInput);
}

TEST(Controller, RefusesAStepThatItWasNotToldOf) {
  const auto state = make_state();
  Controller controller(options_of(Policy::adapt), layers(), state, test::world());
  EXPECT_THROW(controller.begin(2), Failure);
  run_step(controller, *state, 1);
  EXPECT_THROW(controller.begin(1), Failure);
  EXPECT_NO_THROW(controller.begin(2));
}

TEST(Controller, APolicyThatFailsOnRank0EndsTheStepOnAll) {
  const auto state = make_state();
  Controller controller(options_of(Policy::adapt), layers(), state, test::world());
  run_step(controller, *state, 1);
  state->parameters[2].master[5] = std::nanf("");  // PushDowns have no format for it
  EXPECT_THROW(run_step(controller, *state, 2), mpi::SharedError);
}

}  // namespace
}  // namespace adapt
