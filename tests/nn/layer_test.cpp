// Layers against slow, obvious loops, on small integers: float32 sums of them are exact, so equality is asked
// for.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/error.hpp"
#include "nn/small_model.hpp"
#include "support/model_builder.hpp"

namespace adapt {
namespace {

using test::SmallModel;

void fill_with_integers(std::span<float> values, std::uint64_t seed) {
  RandomSequence random({.seed = seed});
  for (float& value : values) {
    value = static_cast<float>(random.below(15)) - 7.0F;
  }
}

/// A model of one layer with integer parameters and images.
SmallModel integer_model(const ModelDescription& description, const Shape& image, bool training) {
  SmallModel model(description, image, training);
  std::uint64_t seed = 1;
  for (Parameter& parameter : model.state->parameters) {
    fill_with_integers(parameter.master, ++seed);
    use_master(parameter);
  }
  fill_with_integers(model.images, 99);
  model.loss();
  return model;
}

/// Pixel of an image (N, H, W, C); zero outside.
float pixel(const SmallModel& model, int n, int c, int h, int w) {
  const Shape& s = model.graph.image;
  if (h < 0 || w < 0 || h >= s.h || w >= s.w) {
    return 0;
  }
  return model.images[static_cast<std::size_t>(((n * s.h + h) * s.w + w) * s.c + c)];
}

using Expected = std::function<float(int n, int c, int h, int w)>;

void expect_output(const SmallModel& model, const Expected& expected) {
  const Shape& out = model.graph.nodes.back().output;
  const auto result = model.network.logits();
  std::size_t i = 0;
  for (int n = 0; n < out.n; ++n) {
    for (int h = 0; h < out.h; ++h) {
      for (int w = 0; w < out.w; ++w) {
        for (int c = 0; c < out.c; ++c) {
          ASSERT_EQ(result[i++], expected(n, c, h, w)) << n << c << h << w;
        }
      }
    }
  }
}

TEST(Layer, ConvolutionEqualsLoops) {
  for (const Shape& image : {Shape{2, 1, 7, 9}, Shape{1, 3, 8, 5}, Shape{3, 16, 6, 6}}) {
    for (const int kernel : {1, 3, 5}) {
      for (const int stride : {1, 2, 3}) {
        for (const int padding : {0, kernel / 2}) {
          const ConvolutionOptions spec = {
              .channels = 6, .kernel = kernel, .stride = stride, .padding = padding};
          const SmallModel model = integer_model(ModelBuilder("m").convolution("a", spec).build(), image,
                                                 /*training=*/stride == 1);
          const auto& weight = model.state->parameters[0].working;
          const auto& bias = model.state->parameters[1].working;
          expect_output(model, [&](int n, int o, int h, int w) {
            float sum = bias[static_cast<std::size_t>(o)];
            for (int c = 0; c < image.c; ++c) {
              for (int y = 0; y < kernel; ++y) {
                for (int x = 0; x < kernel; ++x) {
                  const int at = ((o * image.c + c) * kernel + y) * kernel + x;
                  sum += weight[static_cast<std::size_t>(at)] *
                         pixel(model, n, c, h * stride + y - padding, w * stride + x - padding);
                }
              }
            }
            return sum;
          });
        }
      }
    }
  }
}

TEST(Layer, LinearReadsFeaturesInMemoryOrder) {
  const SmallModel model = integer_model(ModelBuilder("m").linear("a", 5).build(), {3, 2, 3, 4}, false);
  const auto& weight = model.state->parameters[0].working;
  const auto& bias = model.state->parameters[1].working;
  expect_output(model, [&](int n, int o, int /*h*/, int /*w*/) {
    float sum = bias[static_cast<std::size_t>(o)];
    for (std::size_t i = 0; i < 24; ++i) {
      sum +=
          weight[static_cast<std::size_t>(o) * 24 + i] * model.images[static_cast<std::size_t>(n) * 24 + i];
    }
    return sum;
  });
}

TEST(Layer, PoolingEqualsLoops) {
  for (const int width : {6, 7}) {  // 7: the last column is left out
    const Shape image = {2, 3, 6, width};
    const SmallModel largest = integer_model(ModelBuilder("m").max_pool(2).build(), image, true);
    expect_output(largest, [&](int n, int c, int h, int w) {
      return std::max({pixel(largest, n, c, 2 * h, 2 * w), pixel(largest, n, c, 2 * h, 2 * w + 1),
                       pixel(largest, n, c, 2 * h + 1, 2 * w), pixel(largest, n, c, 2 * h + 1, 2 * w + 1)});
    });
    const SmallModel average = integer_model(ModelBuilder("m").average_pool(2).build(), image, false);
    expect_output(average, [&](int n, int c, int h, int w) {
      return (pixel(average, n, c, 2 * h, 2 * w) + pixel(average, n, c, 2 * h, 2 * w + 1) +
              pixel(average, n, c, 2 * h + 1, 2 * w) + pixel(average, n, c, 2 * h + 1, 2 * w + 1)) /
             4;
    });
  }
}

TEST(Layer, AdditionOfAValueAndItsRelu) {
  ModelBuilder builder("m");
  builder.relu().add("sum", 0);
  const SmallModel model = integer_model(builder.build(), {2, 3, 4, 5}, false);
  expect_output(model, [&](int n, int c, int h, int w) {
    const float x = pixel(model, n, c, h, w);
    return x + std::max(x, 0.0F);
  });
}

TEST(Layer, BatchNormUsesShardStatisticsInTrainingAndRunningOnesAtInference) {
  const Shape image = {4, 2, 3, 3};
  SmallModel training(ModelBuilder("m").batch_norm("n").build(), image, true);
  training.loss();
  const RunningStatistics& statistics = training.state->statistics[0];
  const auto& scale = training.state->parameters[0].working;
  const auto& shift = training.state->parameters[1].working;
  for (int c = 0; c < image.c; ++c) {
    const auto channel = static_cast<std::size_t>(c);
    double mean = 0;
    double square = 0;
    for (int i = 0; i < 36; ++i) {
      const double x = training.images[static_cast<std::size_t>(i * 2 + c)];
      mean += x / 36;
      square += x * x / 36;
    }
    EXPECT_NEAR(statistics.shard_mean[channel], mean, 1e-5);
    EXPECT_NEAR(statistics.shard_variance[channel], square - mean * mean, 1e-5);
    EXPECT_EQ(statistics.running_mean[channel], 0.0F)
        << "the exchange updates running statistics, not the layer";
  }
  EXPECT_NEAR(training.network.logits()[0],
              (training.images[0] - statistics.shard_mean[0]) /
                      std::sqrt(statistics.shard_variance[0] + 1e-5F) * scale[0] +
                  shift[0],
              1e-5);
  SmallModel inference(ModelBuilder("m").batch_norm("n").build(), image, false);
  inference.loss();
  EXPECT_NEAR(inference.network.logits()[0], inference.images[0] * scale[0] + shift[0], 1e-4)
      << "running mean 0 and variance 1";
}

TEST(Layer, QuantizationPutsActivationsOnTheGrid) {
  const ModelDescription description = ModelBuilder("m").linear("a", 4).build();
  SmallModel model(description, {2, 3, 1, 1}, true, /*quantized=*/true);
  PrecisionPlan plan;
  plan.layers.push_back({{}, FixedFormat{8, 3}, FixedFormat{6, 1}, {}});
  Pass pass;
  pass.plan = &plan;
  model.network.forward(model.images, model.labels, pass);
  for (const float value : model.network.logits()) {
    EXPECT_EQ(value * 2, std::nearbyint(value * 2));
    EXPECT_LE(std::abs(value), 16.0F);
  }
  const auto& weight = model.state->parameters[0].working;
  const auto& bias = model.state->parameters[1].working;
  float sum = bias[0];
  for (std::size_t i = 0; i < 3; ++i) {
    sum += weight[i] * std::nearbyint(model.images[i] * 8) / 8;
  }
  EXPECT_NEAR(model.network.logits()[0], sum, 0.25F + 1e-4F) << "half a step of <6,1>";
}

}  // namespace
}  // namespace adapt
