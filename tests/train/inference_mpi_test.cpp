// What inference makes of a trained model: the folded engines classify as the emulated one does.

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "data/dataset.hpp"
#include "mpi/communicator.hpp"
#include "nn/kernels/onednn.hpp"
#include "nn/models.hpp"
#include "support/world.hpp"
#include "train/evaluation.hpp"
#include "train/inference.hpp"
#include "train/step.hpp"

namespace adapt {
namespace {

/// A model after some steps on the procedural digits.
class TrainedInference : public testing::Test {
 protected:
  void train(const std::string& name, int steps, double learning_rate) {
    DataOptions data;
    data.train_samples = 640;
    data.test_samples = 100;
    data_ = open_dataset(data, 1);
    TrainerOptions options;
    options.model.name = name;
    options.engine.name = Engine::integer;
    options.training.batch = 32;
    options.training.shards = 4;
    options.precision.name = Policy::fixed;
    options.precision.fixed.word_length = 8;
    options.precision.formats = FormatScope::per_tensor;
    options.precision.backward = Backward::quantized;
    TrainingStep step(options, data_, test::world());
    for (int i = 0; i < steps; ++i) {
      step.run(learning_rate);
    }
    const ImageShape image = data_.train->shape();
    model_ = {make_model(options.model, data_.train->classes()),
              {1, image.channels, image.height, image.width},
              step.state(),
              step.plan()};
  }

  MetricSum run(Engine engine, int batch) {
    const auto classifier = make_classifier(engine, model_, batch);
    return evaluate(*classifier, *data_.test, data_.normalization, test::world());
  }
  double accuracy(Engine engine, int batch) { return run(engine, batch).accuracy(); }

  DataSplits data_;
  TrainedModel model_;
};

TEST_F(TrainedInference, ClassifiesAsTheEmulatedEngineDoes) {
  train("lenet5", 60, 0.05);
  const double emulated = accuracy(Engine::emulated, 50);
  EXPECT_GT(emulated, 0.5);  // it has learned: a constant answer would be right in a tenth
  EXPECT_NEAR(accuracy(Engine::float32, 50), emulated, 0.03);
  EXPECT_NEAR(accuracy(Engine::integer, 50), emulated, 0.03);
  EXPECT_EQ(accuracy(Engine::integer, 7), accuracy(Engine::integer, 64));
}

TEST_F(TrainedInference, FoldsBatchNormsAndSums) {
  train("resnet20", 8, 0.05);
  const double emulated = run(Engine::emulated, 50).mean_loss();
  EXPECT_NEAR(run(Engine::float32, 50).mean_loss(), emulated, 0.05 * emulated);
  EXPECT_NEAR(run(Engine::integer, 50).mean_loss(), emulated, 0.05 * emulated);
}

TEST_F(TrainedInference, RefusesAModelWithoutBytes) {
  train("lenet5", 1, 0.05);
  for (LayerFormats& formats : model_.plan.layers) {
    formats.weights = FixedFormat{16, 12};
  }
  EXPECT_THROW(static_cast<void>(make_classifier(Engine::integer, model_, 4)), BadInput);
}

}  // namespace
}  // namespace adapt
