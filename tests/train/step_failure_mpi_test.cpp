// A step that fails on one rank or on all: every rank throws the same, none waits for ever, and a step that
// goes well pays for that with one message.

#include <gtest/gtest.h>
#include <mpi.h>

#include <functional>
#include <limits>
#include <utility>

#include "bench/synthetic.hpp"
#include "mpi/together.hpp"
#include "support/world.hpp"
#include "train/step.hpp"

namespace {

/// Agreements (allreduces of 8 bytes, maximum) on this rank since the last look.
int agreements = 0;

}  // namespace

// MPI's profiling interface: the program's own MPI_Allreduce counts and calls the real one.
extern "C" int MPI_Allreduce(const void* from, void* to, int count, MPI_Datatype type, MPI_Op operation,
                             MPI_Comm communicator) {
  int size = 0;
  MPI_Type_size(type, &size);
  agreements += count * size == 8 && operation == MPI_MAX ? 1 : 0;
  return PMPI_Allreduce(from, to, count, type, operation, communicator);
}

namespace adapt {
namespace {

constexpr std::int64_t kBadStep = 3;

/// Formats stay as they are; a step leads to what `at` says.
class FakePolicy : public PrecisionPolicy {
 public:
  using Reaction = std::function<std::vector<SwitchEvent>(const StepObservation& seen)>;

  FakePolicy(std::size_t layers, Reaction at) : at_(std::move(at)) {
    LayerFormats formats;
    formats.weights = FixedFormat{8, 4};
    plan_.layers.assign(layers, formats);
    plan_.per_tensor = true;
  }
  std::vector<SwitchEvent> observe(const StepObservation& seen) override { return at_(seen); }

 private:
  Reaction at_;
};

PolicyMaker fake(const FakePolicy::Reaction& at) {
  return [at](const PolicyOptions& /*options*/, const std::vector<LayerInfo>& layers) {
    return std::make_unique<FakePolicy>(layers.size(), at);
  };
}

/// A dataset that cannot be read.
class Unreadable : public Dataset {
 public:
  explicit Unreadable(std::shared_ptr<const Dataset> source) : source_(std::move(source)) {}
  [[nodiscard]] std::int64_t size() const override { return source_->size(); }
  [[nodiscard]] ImageShape shape() const override { return source_->shape(); }
  [[nodiscard]] int classes() const override { return source_->classes(); }
  int read(std::int64_t /*index*/, std::span<std::uint8_t> /*pixels*/) const override {
    throw BadInput(concat("no image on rank ", test::world().rank()));
  }
  [[nodiscard]] std::string checksum() const override { return source_->checksum(); }

 private:
  std::shared_ptr<const Dataset> source_;
};

TrainerOptions options_of(Engine engine) {
  TrainerOptions options;
  options.model.name = "lenet5";
  options.engine.name = engine;
  options.training.batch = 8;
  options.training.shards = 4;
  return options;
}

DataSplits images() { return synthetic_images("lenet5", 64); }

/// How a training of a few steps ended, and the step that failed (one more than the last where none did).
struct End {
  std::int64_t step = 1;
  mpi::Ending ending;
};

End train(TrainingStep& step, double rate = 0.01) {
  End end;
  try {
    for (; end.step <= kBadStep + 1; ++end.step) {
      step.run(rate);
    }
  } catch (const mpi::SharedError& error) {
    end.ending = {error.code(), error.what()};
  }
  test::world().barrier();  // with all ranks in step, this and the next test go on
  return end;
}

TEST(StepFailure, AStepThatGoesWellAgreesOnce) {
  TrainingStep step(options_of(Engine::float32), images(), test::world());
  for (int i = 0; i < 3; ++i) {
    agreements = 0;
    step.run(0.01);
    EXPECT_EQ(agreements, 1);
  }
}

TEST(StepFailure, OfThePolicyOnRank0ReachesAll) {
  TrainingStep step(options_of(Engine::emulated), images(), test::world(),
                    fake([](const StepObservation& seen) -> std::vector<SwitchEvent> {
                      EXPECT_EQ(test::world().rank(), 0);
                      if (seen.step == kBadStep) {
                        throw std::runtime_error("no idea which format to take");
                      }
                      return {};
                    }));
  const End end = train(step);
  EXPECT_EQ(end.step, kBadStep);
  EXPECT_EQ(end.ending.message, "no idea which format to take");
  EXPECT_EQ(end.ending.code, ExitCode::failed);
}

TEST(StepFailure, OfOneRanksDataReachesAll) {
  for (int failing = 0; failing < test::world().size(); ++failing) {
    DataSplits data = images();
    if (test::world().rank() == failing) {
      data.train = std::make_shared<Unreadable>(data.train);
    }
    TrainingStep step(options_of(Engine::float32), data, test::world());
    const End end = train(step);
    EXPECT_EQ(end.step, 1);
    EXPECT_TRUE(end.ending.message.ends_with(concat("no image on rank ", failing))) << end.ending.message;
    EXPECT_EQ(end.ending.message.starts_with(concat("rank ", failing, " (host ")), failing != 0);
    EXPECT_EQ(end.ending.code, ExitCode::bad_input);
  }
}

TEST(StepFailure, OfTheUpdateIsToldOnce) {
  for (const Engine engine : {Engine::float32, Engine::emulated}) {
    TrainingStep step(options_of(engine), images(), test::world());
    const End end = train(step, std::numeric_limits<double>::infinity());
    EXPECT_EQ(end.step, 1);
    EXPECT_NE(end.ending.message.find("is NaN or infinite at step 1"), std::string::npos)
        << end.ending.message;
    EXPECT_EQ(end.ending.code, ExitCode::failed);
  }
}

/// Only rank 0 knows the switches: one of a layer that is not there fails in rank 0's update alone.
TEST(StepFailure, OfRank0sUpdateReachesTheOthersInTheNextStep) {
  TrainingStep step(options_of(Engine::emulated), images(), test::world(),
                    fake([](const StepObservation& seen) {
                      SwitchEvent event;
                      event.layer = 1000;
                      return std::vector<SwitchEvent>(seen.step == kBadStep ? 1 : 0, event);
                    }));
  const End end = train(step);
  EXPECT_EQ(end.step, test::world().rank() == 0 ? kBadStep : kBadStep + 1);
  EXPECT_NE(end.ending.message.find("1000"), std::string::npos) << end.ending.message;
  EXPECT_EQ(end.ending.code, ExitCode::failed);
}

}  // namespace
}  // namespace adapt
