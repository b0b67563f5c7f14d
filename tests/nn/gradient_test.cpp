// Finite-difference checks of every layer's gradients, for its own parameters and, through the layer before
// it, for its input.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "nn/models.hpp"
#include "nn/small_model.hpp"
#include "support/model_builder.hpp"

namespace adapt {
namespace {

using test::SmallModel;

/// ‖numeric - analytic‖ / (‖numeric‖ + ‖analytic‖) over up to 60 evenly spread elements of a parameter.
double relative_error(SmallModel& model, Parameter& parameter, const AlignedVector<float>& analytic,
                      float h) {
  const std::size_t stride = std::max<std::size_t>(1, analytic.size() / 60);
  double difference = 0;
  double size = 0;
  for (std::size_t i = 0; i < analytic.size(); i += stride) {
    const auto loss_at = [&](float value) {
      parameter.working[i] = value;
      ++parameter.version;
      return model.loss();
    };
    const float center = parameter.working[i];
    const double numeric = (loss_at(center + h) - loss_at(center - h)) / (2.0 * h);
    loss_at(center);
    difference += std::pow(numeric - analytic[i], 2);
    size += std::pow(numeric, 2) + std::pow(analytic[i], 2);
  }
  return std::sqrt(difference / size);
}

void expect_right_gradients(const ModelDescription& description, const Shape& image, double tolerance = 2e-3,
                            float h = 1e-2F) {
  SmallModel model(description, image);
  Pass pass;
  model.network.forward(model.images, model.labels, pass);
  model.network.backward(pass);
  std::vector<AlignedVector<float>> gradients;
  for (const Parameter& parameter : model.state->parameters) {
    gradients.push_back(parameter.gradient);
  }
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    Parameter& parameter = model.state->parameters[i];
    EXPECT_LT(relative_error(model, parameter, gradients[i], h), tolerance)
        << description.name << " " << parameter.name;
  }
}

TEST(Gradient, Linear) {
  expect_right_gradients(ModelBuilder("linear").linear("a", 7).linear("b", 4).build(), {5, 3, 4, 2});
}

TEST(Gradient, Convolution) {
  for (const int stride : {1, 2}) {
    for (const int kernel : {1, 3, 5}) {
      const ConvolutionOptions spec = {
          .channels = 5, .kernel = kernel, .stride = stride, .padding = kernel / 2};
      expect_right_gradients(ModelBuilder("convolution")
                                 .convolution("a", {.channels = 3, .kernel = 3})
                                 .convolution("b", spec)
                                 .linear("c", 4)
                                 .build(),
                             {4, 2, 9, 8});
    }
  }
}

TEST(Gradient, ConvolutionInGroups) {
  for (const int groups : {2, 6}) {
    for (const int channels : {6, 12}) {
      const ConvolutionOptions spec = {
          .channels = channels, .kernel = 3, .stride = 2, .padding = 1, .groups = groups};
      expect_right_gradients(ModelBuilder("groups")
                                 .convolution("a", {.channels = 6, .kernel = 3})
                                 .convolution("b", spec)
                                 .linear("c", 4)
                                 .build(),
                             {4, 2, 9, 8});
    }
  }
}

TEST(Gradient, Dropout) {
  expect_right_gradients(read_model("name: dropped\nimage: [2, 4, 4]\nlayers:\n"
                                    "  - convolution: {name: a, channels: 6, kernel: 3}\n  - tanh\n"
                                    "  - dropout: {rate: 0.4}\n  - linear: {name: b, outputs: 4}\n",
                                    "test", 4),
                         {5, 2, 4, 4});
}

TEST(Gradient, GlobalAveragePooling) {
  expect_right_gradients(read_model("name: averaged\nimage: [2, 5, 5]\nlayers:\n"
                                    "  - convolution: {name: a, channels: 6, kernel: 3, padding: 1}\n"
                                    "  - global_average_pool\n  - linear: {name: b, outputs: 4}\n",
                                    "test", 4),
                         {5, 2, 5, 5});
}

TEST(Gradient, FullMapConvolution) {
  const ConvolutionOptions spec = {.channels = 5, .kernel = 3, .padding = 1};
  expect_right_gradients(
      ModelBuilder("full_map").convolution("a", spec).convolution("b", spec).linear("c", 4).build(),
      {4, 2, 2, 2});
}

TEST(Gradient, ConvolutionWithoutBias) {
  expect_right_gradients(ModelBuilder("no_bias")
                             .convolution("a", {.channels = 3, .kernel = 3, .bias = false})
                             .linear("b", 4)
                             .build(),
                         {4, 2, 6, 6});
}

TEST(Gradient, Tanh) {
  expect_right_gradients(
      ModelBuilder("tanh").convolution("a", {.channels = 4, .kernel = 3}).tanh().linear("b", 3).build(),
      {4, 2, 6, 6});
}

TEST(Gradient, Relu) {
  // A short difference, so that few kinks stand within its reach.
  expect_right_gradients(
      ModelBuilder("relu").convolution("a", {.channels = 4, .kernel = 3}).relu().linear("b", 3).build(),
      {4, 2, 6, 6}, 5e-3, 1e-4F);
}

TEST(Gradient, AveragePool) {
  expect_right_gradients(ModelBuilder("average_pool")
                             .convolution("a", {.channels = 4, .kernel = 3})
                             .average_pool(2)
                             .linear("b", 3)
                             .build(),
                         {4, 2, 7, 8});
}

TEST(Gradient, MaxPool) {
  expect_right_gradients(ModelBuilder("max_pool")
                             .convolution("a", {.channels = 4, .kernel = 3})
                             .max_pool(2)
                             .linear("b", 3)
                             .build(),
                         {4, 2, 7, 8}, 5e-3, 1e-4F);
}

TEST(Gradient, BatchNorm) {
  expect_right_gradients(ModelBuilder("batch_norm")
                             .convolution("a", {.channels = 4, .kernel = 3, .bias = false})
                             .batch_norm("n")
                             .linear("b", 3)
                             .build(),
                         {6, 2, 6, 6}, 5e-3);
}

TEST(Gradient, BatchNormFirst) {
  expect_right_gradients(ModelBuilder("batch_norm_first").batch_norm("n").linear("b", 3).build(),
                         {6, 2, 3, 3}, 5e-3);
}

TEST(Gradient, ResidualBlockWithSharedValue) {
  // The value before the block has two readers, and the sum's gradient is handed to both.
  ModelBuilder model("residual");
  model.convolution("stem", {.channels = 4, .kernel = 3, .padding = 1});
  const int entry = model.value();
  // No bias before a batch norm: its gradient is zero.
  model.tanh()
      .convolution("a", {.channels = 4, .kernel = 3, .padding = 1, .bias = false})
      .batch_norm("n")
      .tanh();
  model.convolution("b", {.channels = 4, .kernel = 3, .padding = 1}).tanh().add("sum", entry).tanh();
  model.linear("c", 3);
  expect_right_gradients(model.build(), {5, 2, 5, 5}, 5e-3);
}

TEST(Gradient, ThreeReadersOfOneValue) {
  ModelBuilder model("three_readers");
  model.convolution("stem", {.channels = 3, .kernel = 1});
  const int entry = model.value();
  model.convolution("a", {.channels = 3, .kernel = 1}).add("sum1", entry);
  const int middle = model.value();
  model.from(entry).tanh().add("sum2", middle).linear("c", 3);
  expect_right_gradients(model.build(), {5, 2, 4, 4});
}

TEST(Gradient, ResidualNetworkOfThreeStages) {
  // One basic block per stage with both kinds of shortcut, as in the ResNet family.
  expect_right_gradients(small_resnet(5, 1), {6, 3, 12, 12}, 2e-2, 3e-4F);
}

TEST(Gradient, WholeLenet5) { expect_right_gradients(make_model("lenet5", 10), {3, 1, 28, 28}, 5e-3); }

}  // namespace
}  // namespace adapt
