#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>

#include "data/memory_dataset.hpp"
#include "mpi/together.hpp"
#include "nn/description.hpp"
#include "nn/kernels/loss.hpp"
#include "nn/passes/lower.hpp"
#include "numerics/random.hpp"
#include "support/model_builder.hpp"
#include "support/world.hpp"
#include "train/evaluation.hpp"

namespace adapt {
namespace {

/// `count` images of 2×2 pixels in 3 classes.
MemoryDataset small_dataset(int count) {
  ImageArrays arrays;
  arrays.shape = {2, 2, 1};
  arrays.classes = 3;
  RandomSequence random({.seed = 8});
  for (int i = 0; i < count; ++i) {
    arrays.labels.push_back(static_cast<std::uint8_t>(random.below(3)));
    for (int pixel = 0; pixel < 4; ++pixel) {
      arrays.pixels.push_back(static_cast<std::uint8_t>(random.below(256)));
    }
  }
  return MemoryDataset(arrays);
}

struct Classifier {
  explicit Classifier(int batch)
      : graph(lower(ModelBuilder("linear").linear("fc", 3).build(), {batch, 1, 2, 2}, false)),
        state(initialize(graph, 1.0, 7)),
        network(graph, state, /*training=*/false) {}

  Graph graph;
  std::shared_ptr<ModelState> state;
  Network network;
};

/// Loss and hits of one image after another: logits by hand, on pixels in [0, 1].
MetricSum naive(const MemoryDataset& dataset, const ModelState& state) {
  const auto& weight = state.parameters[state.find("fc.weight")].working;
  const auto& bias = state.parameters[state.find("fc.bias")].working;
  MetricSum sum;
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    std::vector<std::uint8_t> pixels(4);
    const std::int32_t label = dataset.read(i, pixels);
    std::vector<float> logits(bias.begin(), bias.end());
    for (std::size_t out = 0; out < 3; ++out) {
      for (std::size_t in = 0; in < 4; ++in) {
        logits[out] += weight[out * 4 + in] * static_cast<float>(pixels[in]) / 255.0F;
      }
    }
    const LossSum loss = softmax_cross_entropy(logits, std::span(&label, 1), 3, {});
    sum.add(loss.loss, loss.correct, 1);
  }
  return sum;
}

TEST(Evaluation, CoversEveryImageOnceWhateverTheBatch) {
  const MemoryDataset dataset = small_dataset(23);
  for (const int batch : {1, 5, 23, 64}) {  // ragged, whole and larger than the data set
    Classifier classifier(batch);
    const MetricSum result = evaluate(classifier.network, dataset, {}, nullptr, test::world());
    const MetricSum expected = naive(dataset, *classifier.state);
    EXPECT_EQ(result.images(), 23) << batch;
    EXPECT_EQ(result.accuracy(), expected.accuracy()) << batch;
    EXPECT_NEAR(result.mean_loss(), expected.mean_loss(), 1e-5) << batch;
  }
}

TEST(Evaluation, IsTheSameOnAllRanksAndForAnyNumberOfThem) {
  const MemoryDataset dataset = small_dataset(23);
  Classifier classifier(5);
  const double loss = evaluate(classifier.network, dataset, {}, nullptr, test::world()).mean_loss();
  std::array<double, 1> of_rank_0 = {loss};
  test::world().broadcast(std::as_writable_bytes(std::span(of_rank_0)));
  EXPECT_EQ(loss, of_rank_0[0]);
  MetricSum in_order;
  for (std::int64_t first = 0; first < dataset.size(); first += 5) {  // what one rank alone does
    const auto count = static_cast<std::size_t>(std::min<std::int64_t>(5, dataset.size() - first));
    AlignedVector<float> images(5 * 4);
    std::vector<std::int32_t> labels(count);
    for (std::size_t i = 0; i < count; ++i) {
      std::vector<std::uint8_t> pixels(4);
      labels[i] = dataset.read(first + static_cast<std::int64_t>(i), pixels);
      for (std::size_t p = 0; p < 4; ++p) {
        images[i * 4 + p] = static_cast<float>(pixels[p] / 255.0);
      }
    }
    Pass pass;
    const LossSum sum = classifier.network.forward(images, labels, pass);
    in_order.add(sum.loss, sum.correct, static_cast<std::int64_t>(count));
  }
  EXPECT_EQ(loss, in_order.mean_loss());
}

TEST(Evaluation, ADivergedModelEndsAllRanksAlike) {
  const MemoryDataset dataset = small_dataset(2);  // one batch: one rank alone sees the NaN
  Classifier classifier(5);
  Parameter& bias = classifier.state->parameters[classifier.state->find("fc.bias")];
  bias.master[0] = std::numeric_limits<float>::quiet_NaN();
  use_master(bias);
  try {
    static_cast<void>(evaluate(classifier.network, dataset, {}, nullptr, test::world()));
    FAIL() << "expected SharedError";
  } catch (const mpi::SharedError& error) {
    EXPECT_NE(std::string(error.what()).find("diverged"), std::string::npos) << error.what();
    EXPECT_EQ(error.code(), ExitCode::failed);
  }
}

}  // namespace
}  // namespace adapt
