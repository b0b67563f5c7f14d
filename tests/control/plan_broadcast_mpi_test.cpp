#include <gtest/gtest.h>
#include <mpi.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "control/plan_broadcast.hpp"
#include "mpi/together.hpp"
#include "numerics/random.hpp"
#include "support/world.hpp"

namespace {

/// What this rank broadcast since the last look.
struct Traffic {
  int messages = 0;
  int bytes = 0;
};
Traffic traffic;

Traffic take_traffic() { return std::exchange(traffic, {}); }

}  // namespace

// MPI's profiling interface: the program's own MPI_Bcast counts and calls the real one.
extern "C" int MPI_Bcast(void* data, int count, MPI_Datatype type, int root, MPI_Comm communicator) {
  int size = 0;
  MPI_Type_size(type, &size);
  ++traffic.messages;
  traffic.bytes += count * size;
  return PMPI_Bcast(data, count, type, root, communicator);
}

namespace adapt {
namespace {

PrecisionPlan start() {
  PrecisionPlan plan;
  plan.layers = {{FixedFormat{8, 4}, FixedFormat{8, 4}, FixedFormat{8, 4}, FixedFormat{8, 4}}, {}};
  return plan;
}

PrecisionPlan later() {
  PrecisionPlan plan;
  plan.version = 3;
  plan.final_phase = 54;
  plan.layers = {
      {FixedFormat{12, -5}, FixedFormat{32, 126}, std::nullopt, FixedFormat{2, 64}},
      {std::nullopt, std::nullopt, FixedFormat{9, 3}, std::nullopt, FixedFormat{7, 1}, FixedFormat{16, 40}}};
  return plan;
}

void no_decision(const PushDowns& /*push_downs*/) {}
std::span<const float> no_weights(int /*layer*/) { return {}; }

TEST(PlanBroadcast, SmallMessageWhileNothingChanges) {
  PlanBroadcast broadcast(0, 1);
  PrecisionPlan plan = start();
  take_traffic();
  for (int step = 0; step < 3; ++step) {
    broadcast.update(plan, test::world(), no_weights, no_decision);
    const Traffic seen = take_traffic();
    EXPECT_EQ(seen.messages, 1);
    EXPECT_EQ(seen.bytes, 16);
    EXPECT_EQ(plan, start());
  }
}

TEST(PlanBroadcast, AChangeOfRank0ReachesAllOnce) {
  PlanBroadcast broadcast(0, 1);
  PrecisionPlan plan = start();
  int decisions = 0;
  take_traffic();
  broadcast.update(plan, test::world(), no_weights, [&](const PushDowns&) {
    plan = later();
    ++decisions;
  });
  EXPECT_EQ(decisions, test::world().rank() == 0 ? 1 : 0);
  EXPECT_EQ(plan, later());
  EXPECT_EQ(take_traffic().messages, 2);
  broadcast.update(plan, test::world(), no_weights, no_decision);
  EXPECT_EQ(plan, later());
  EXPECT_EQ(take_traffic().messages, 1);
}

TEST(PlanBroadcast, AFailureOfRank0ReachesAll) {
  PlanBroadcast broadcast(0, 1);
  PrecisionPlan plan = start();
  for (int time = 0; time < 2; ++time) {
    try {
      broadcast.update(plan, test::world(), no_weights, [](const PushDowns&) {
        throw BadInput(concat("no plan on rank ", test::world().rank()));
      });
      ADD_FAILURE() << "expected SharedError";
    } catch (const mpi::SharedError& error) {
      EXPECT_STREQ(error.what(), "no plan on rank 0");
      EXPECT_EQ(error.code(), ExitCode::bad_input);
    }
    EXPECT_EQ(plan, start());
  }
  broadcast.update(plan, test::world(), no_weights, [&](const PushDowns&) { plan = later(); });
  EXPECT_EQ(plan, later());
}

/// What check() says to a plan of version `version` at `step`.
std::string complaint(const PlanBroadcast& broadcast, std::int64_t version, std::int64_t step) {
  PrecisionPlan plan = start();
  plan.version = version;
  try {
    broadcast.check(plan, step);
  } catch (const Failure& error) {
    return error.what();
  }
  return "";
}

TEST(PlanBroadcast, EachStepTakesThePlanThatItWasToldOfAndNoOther) {
  PlanBroadcast broadcast(0, 41);
  PrecisionPlan plan = start();
  EXPECT_EQ(complaint(broadcast, 0, 41), "");
  EXPECT_NE(complaint(broadcast, 0, 42), "");
  broadcast.update(plan, test::world(), no_weights, [&](const PushDowns&) { plan = later(); });
  EXPECT_EQ(complaint(broadcast, 3, 42), "");
  const std::string wrong = complaint(broadcast, 0, 42);
  for (const char* part : {"step 42 with precision plan 0", "told plan 3 for step 42"}) {
    EXPECT_NE(wrong.find(part), std::string::npos) << wrong;
  }
  EXPECT_NE(complaint(broadcast, 3, 41), "") << "the step before was told of another plan";
  broadcast.update(plan, test::world(), no_weights, no_decision);
  EXPECT_EQ(complaint(broadcast, 3, 43), "");
}

/// Weights of layers of very different sizes.
std::vector<std::vector<float>> layer_weights(std::size_t scale) {
  std::vector<std::vector<float>> layers;
  for (std::uint32_t layer = 0; layer < 7; ++layer) {
    RandomSequence random({.seed = 5, .tensor = layer});
    std::vector<float>& weights = layers.emplace_back(scale * (1 + layer % 3 * 4));
    for (float& weight : weights) {
      weight = static_cast<float>(0.1 * random.normal());
    }
  }
  return layers;
}

std::vector<PushDownJob> jobs_of_all(std::size_t layers) {
  std::vector<PushDownJob> jobs;
  for (std::size_t layer = 0; layer < layers; ++layer) {
    jobs.push_back({static_cast<int>(layer), 8 + static_cast<int>(layer), {50, 0.01, 1e-6}});
  }
  return jobs;
}

/// PushDowns of all layers, whose weights number `scale` and more, through the controller.
void expect_shared_equals_alone(std::size_t scale) {
  const auto layers = layer_weights(scale);
  const auto weights = [&](int layer) {
    return std::span<const float>(layers[static_cast<std::size_t>(layer)]);
  };
  PlanBroadcast broadcast(0, 1);
  PrecisionPlan plan = start();
  const std::vector<PushDownJob> jobs = jobs_of_all(layers.size());
  for (int step = 0; step < 2; ++step) {
    broadcast.update(plan, test::world(), weights, [&](const PushDowns& push_downs) {
      for (int time = 0; time < 2; ++time) {
        const auto results = push_downs(jobs);
        ASSERT_EQ(results.size(), jobs.size());
        for (std::size_t i = 0; i < jobs.size(); ++i) {
          const PushDownResult alone = push_down(weights(jobs[i].layer), jobs[i]);
          EXPECT_EQ(results[i].format, alone.format) << i;
          EXPECT_EQ(results[i].divergence, alone.divergence) << i;
          EXPECT_EQ(results[i].satisfied, alone.satisfied) << i;
        }
      }
      plan = later();
    });
    EXPECT_EQ(plan, later());
  }
}

TEST(SharedPushDown, EqualsThatOfRank0Alone) {
  take_traffic();
  expect_shared_equals_alone(2000);
  EXPECT_EQ(take_traffic().messages, test::world().size() == 1 ? 3 : 3 + 2 * 2 * 2)
      << "plan and notice, jobs and notice";
}

TEST(SharedPushDown, LittleWorkIsNotSpread) {
  take_traffic();
  expect_shared_equals_alone(100);
  EXPECT_EQ(take_traffic().messages, 3);
}

TEST(SharedPushDown, WeightsThatAreNotFiniteAreTold) {
  std::vector<float> broken(30000, 0.5F);
  broken[7] = std::nanf("");
  const auto weights = [&](int /*layer*/) { return std::span<const float>(broken); };
  PlanBroadcast broadcast(0, 1);
  PrecisionPlan plan = start();
  broadcast.update(plan, test::world(), weights, [&](const PushDowns& push_downs) {
    for (const PushDownResult& result : push_downs(jobs_of_all(3))) {
      EXPECT_FALSE(result.finite);
    }
  });
}

TEST(SharedPushDown, DealsTheLargestFirst) {
  EXPECT_EQ(SharedPushDown::deal({1, 9, 5, 5}, 2), (std::vector<int>{0, 0, 1, 1}));
  EXPECT_EQ(SharedPushDown::deal({3, 3, 3}, 1), (std::vector<int>{0, 0, 0}));
  EXPECT_EQ(SharedPushDown::deal({4, 1}, 4), (std::vector<int>{0, 1}));
}

}  // namespace
}  // namespace adapt
