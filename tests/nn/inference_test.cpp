#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "base/error.hpp"
#include "base/fault.hpp"
#include "inference_reference.hpp"
#include "nn/inference/network.hpp"
#include "nn/kernels/onednn.hpp"
#include "nn/models.hpp"
#include "numerics/quantize.hpp"
#include "small_model.hpp"
#include "support/model_builder.hpp"

namespace adapt::test {
namespace {

/// A model whose layers have 8-bit formats, with weights on their grid.
struct ByteModel : SmallModel {
  ByteModel(const ModelDescription& description, const Shape& image, bool exact)
      : SmallModel(description, image, /*training=*/false) {
    RandomSequence random({.seed = 11});
    plan.layers.resize(graph.layers.size());
    for (LayerFormats& formats : plan.layers) {
      const int spread = static_cast<int>(random.below(2));
      formats = {.weights = {{8, 7}}, .inputs = {{8, 5 + spread}}, .outputs = {{8, 5}}, .operands = {{8, 5}}};
    }
    for (Parameter& parameter : state->parameters) {
      set(parameter, random, exact);
    }
    for (RunningStatistics& statistics : state->statistics) {
      set(statistics, random, exact);
    }
  }

  /// With `exact`, all that is folded are powers of two and short numbers, so that float32 arithmetic is
  /// exact in any order and ties are met.
  void set(Parameter& parameter, RandomSequence& random, bool exact) {
    if (parameter.role == ParameterRole::weight) {
      quantize(parameter.master, parameter.master, {8, 7}, Rounding::nearest, {});
    } else if (exact) {
      for (float& number : parameter.master) {
        const bool scales = parameter.role == ParameterRole::scale;
        number = scales ? std::ldexp(1.0F, -static_cast<int>(random.below(3)))
                        : static_cast<float>(static_cast<int>(random.below(64)) - 32) / 64;
      }
    }
    use_master(parameter);
  }

  static void set(RunningStatistics& statistics, RandomSequence& random, bool exact) {
    for (std::size_t c = 0; c < statistics.running_mean.size(); ++c) {
      statistics.running_mean[c] =
          exact ? static_cast<float>(random.below(8)) / 8 : static_cast<float>(random.uniform());
      // With ε = 0 the deviation is exactly 1 or 2.
      statistics.running_variance[c] =
          exact ? static_cast<float>(1 + 3 * random.below(2)) : static_cast<float>(0.5 + random.uniform());
    }
  }

  PrecisionPlan plan;
};

/// Batch norms whose ε vanishes.
ModelDescription without_epsilon(ModelDescription model) {
  const ModelDescription donor =
      read_model("name: donor\nimage: [1, 1, 1]\nlayers: [batch_norm: {epsilon: 0}]\n", "test", 1);
  for (LayerNode& node : model.nodes) {
    if (node.operation->normalization()) {
      node.operation = donor.nodes.front().operation;
    }
  }
  return model;
}

/// Two blocks, one of them with a projection, and all kinds of sums.
ModelDescription residual_model(int channels, int stride, int pool) {
  ModelBuilder model("residual");
  model.convolution("conv1", {.channels = channels, .kernel = 3, .padding = 1, .bias = false})
      .batch_norm("bn1")
      .relu();
  const int first = model.value();
  model.convolution("conv2", {.channels = channels, .kernel = 3, .padding = 1})
      .batch_norm("bn2")
      .add("sum1", first)
      .relu();
  const int entry = model.value();
  model.convolution("shortcut", {.channels = channels + 3, .kernel = 1, .stride = stride, .bias = false})
      .batch_norm("shortcut_bn");
  const int shortcut = model.value();
  model.from(entry)
      .convolution("conv3", {.channels = channels + 3, .kernel = 3, .stride = stride, .padding = 1})
      .batch_norm("bn3")
      .add("sum2", shortcut)
      .relu();
  return model.average_pool(pool).linear("fc", 5).build();
}

ModelDescription plain_model(int channels, int kernel, int stride, int padding, bool pools) {
  ModelBuilder model("plain");
  model.convolution("conv1", {.channels = channels, .kernel = kernel, .stride = stride, .padding = padding})
      .relu();
  if (pools) {
    model.max_pool(2);
  }
  return model.convolution("conv2", {.channels = 2 * channels, .kernel = 3, .padding = 1})
      .linear("fc", 7)
      .build();
}

/// A depthwise layer, and groups of several channels, behind each other.
ModelDescription grouped_model(int stride) {
  ModelBuilder model("grouped");
  model.convolution("conv1", {.channels = 12, .kernel = 3, .padding = 1, .bias = false})
      .batch_norm("bn1")
      .relu();
  model.convolution("conv2", {.channels = 12, .kernel = 3, .stride = stride, .padding = 1, .groups = 12})
      .batch_norm("bn2")
      .relu();
  return model.convolution("conv3", {.channels = 9, .kernel = 3, .padding = 1, .groups = 3})
      .linear("fc", 7)
      .build();
}

/// Maps of a pixel that padding makes larger, and kernels of a pixel.
ModelDescription padded_pixel_model(int groups) {
  return ModelBuilder("padded_pixel")
      .convolution("conv1", {.channels = 8, .kernel = 3})
      .relu()
      .convolution("conv2", {.channels = 8, .kernel = 1, .padding = 1, .groups = groups})
      .linear("fc", 5)
      .build();
}

struct Case {
  ModelDescription model;
  Shape image;
};

std::vector<Case> cases() {
  return {{plain_model(16, 3, 1, 1, true), {3, 3, 8, 8}},
          {plain_model(5, 5, 2, 2, false), {2, 1, 9, 7}},
          {plain_model(32, 1, 1, 0, true), {1, 7, 6, 6}},
          {plain_model(64, 11, 4, 5, true), {4, 3, 32, 32}},
          {plain_model(17, 3, 3, 0, false), {5, 2, 11, 11}},
          {plain_model(24, 3, 1, 1, true), {2, 3, 4, 4}},
          {residual_model(16, 2, 4), {3, 3, 8, 8}},
          {residual_model(7, 1, 4), {2, 3, 5, 5}},
          {residual_model(32, 2, 2), {1, 4, 4, 4}},
          {grouped_model(1), {3, 3, 7, 8}},
          {grouped_model(2), {2, 3, 8, 7}},
          {padded_pixel_model(1), {2, 3, 3, 3}},
          {padded_pixel_model(8), {2, 3, 3, 3}}};
}

TEST(InferenceTest, EqualsTheReferenceWhereFloatsAreExact) {
  for (const Case& one : cases()) {
    SCOPED_TRACE(one.model.name);
    ByteModel model(without_epsilon(one.model), one.image, /*exact=*/true);
    InferenceNetwork network(model.graph, model.state, NumberType::float32, &model.plan, one.image.n);
    EXPECT_EQ(network.plan().integer_products(), static_cast<int>(model.graph.layers.size()));
    const InferencePlan plan = plan_inference(model.graph, *model.state, NumberType::float32, &model.plan);
    InferenceReference reference(model.graph, plan);
    const auto& expected = reference.run(model.images);
    const auto found = network.run(model.images);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_EQ(found[i], static_cast<float>(expected[i])) << i;
    }
  }
}

/// Whether all cases equal the reference where the library is made wrong on purpose. Ends the process.
[[noreturn]] void infer_with_wrong_library() {
  ::setenv("ADAPT_FAULT", "falsify,phase=known_answer", 1);
  fault::arm(0);
  bool equal = true;
  for (const Case& one : cases()) {
    ByteModel model(without_epsilon(one.model), one.image, /*exact=*/true);
    InferenceNetwork network(model.graph, model.state, NumberType::float32, &model.plan, one.image.n);
    const InferencePlan plan = plan_inference(model.graph, *model.state, NumberType::float32, &model.plan);
    InferenceReference reference(model.graph, plan);
    const auto& expected = reference.run(model.images);
    const auto found = network.run(model.images);
    equal = equal && std::equal(found.begin(), found.end(), expected.begin(),
                                [](float a, double b) { return a == static_cast<float>(b); });
  }
  std::cerr << (equal ? "equal" : "different");
  std::exit(0);
}

TEST(InferenceProducts, OwnOnesTakeThePlaceOfAWrongLibrary) {
  if (!onednn::has_exact_bytes()) {
    GTEST_SKIP() << "without VNNI oneDNN's 8-bit sums saturate, and it is not asked";
  }
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(infer_with_wrong_library(), testing::ExitedWithCode(0),
              "^(adapt: warning: oneDNN [^\n]*\n)*adapt: warning: oneDNN [^\n]*wrong sums of products[^\n]*\n"
              "(adapt: warning: oneDNN [^\n]*\n)*equal$");
}

TEST(InferenceProducts, NoProductIsTakenForAnother) {
  testing::internal::CaptureStderr();
  for (const int groups : {1, 8}) {
    const SmallModel model(padded_pixel_model(groups), {2, 3, 3, 3}, /*training=*/false);
    const InferenceNetwork network(model.graph, model.state, NumberType::float32, nullptr, 2);
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "") << "oneDNN was blamed";
}

TEST(InferenceTest, EqualsTheReferenceButForTies) {
  int compared = 0;
  for (const Case& one : cases()) {
    SCOPED_TRACE(one.model.name);
    Shape image = one.image;
    image.n = 12;
    ByteModel model(one.model, image, /*exact=*/false);
    InferenceNetwork network(model.graph, model.state, NumberType::float32, &model.plan, image.n);
    const InferencePlan plan = plan_inference(model.graph, *model.state, NumberType::float32, &model.plan);
    InferenceReference reference(model.graph, plan);
    const auto& expected = reference.run(model.images);
    const auto found = network.run(model.images);
    const std::size_t classes = expected.size() / static_cast<std::size_t>(image.n);
    for (int n = 0; n < image.n; ++n) {
      for (std::size_t c = 0; c < classes && !reference.near_tie(n); ++c) {
        const std::size_t i = static_cast<std::size_t>(n) * classes + c;
        ASSERT_NEAR(found[i], expected[i], 1e-5 * (1 + std::abs(expected[i]))) << n;
        ++compared;
      }
    }
  }
  EXPECT_GT(compared, 100);
}

TEST(InferenceTest, TanhAndAveragesOnTheWay) {
  ByteModel model(make_model("lenet5", 10), {4, 1, 28, 28}, /*exact=*/false);
  InferenceNetwork network(model.graph, model.state, NumberType::float32, &model.plan, 4);
  EXPECT_EQ(network.plan().integer_products(), 5);
  const InferencePlan plan = plan_inference(model.graph, *model.state, NumberType::float32, &model.plan);
  InferenceReference reference(model.graph, plan);
  const auto& expected = reference.run(model.images);
  const auto found = network.run(model.images);
  // oneDNN's tanh is an approximation: some byte may be rounded to its neighbour.
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_NEAR(found[i], expected[i], 0.05) << i;
  }
}

TEST(InferenceTest, BytesAreUsedToTheirEnds) {
  // Large addends drive every activation out of the range: 255 after ReLU, -128 and 127 elsewhere.
  for (const float addend : {1000.0F, -1000.0F}) {
    ByteModel model(without_epsilon(residual_model(16, 2, 4)), {2, 3, 8, 8}, /*exact=*/true);
    Parameter& shift = model.state->parameters[model.state->find("shortcut_bn.shift")];
    std::fill(shift.master.begin(), shift.master.end(), addend);
    use_master(shift);
    InferenceNetwork network(model.graph, model.state, NumberType::float32, &model.plan, 2);
    const InferencePlan plan = plan_inference(model.graph, *model.state, NumberType::float32, &model.plan);
    InferenceReference reference(model.graph, plan);
    const auto& expected = reference.run(model.images);
    const auto found = network.run(model.images);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_EQ(found[i], static_cast<float>(expected[i])) << i;
    }
  }
}

TEST(InferenceTest, LayersBeyondEightBitsRunInFloat32) {
  const Shape image = {2, 3, 8, 8};
  for (const std::string wide : {"conv1", "conv2", "shortcut", "conv3", "fc"}) {
    SCOPED_TRACE(wide);
    ByteModel model(without_epsilon(residual_model(16, 2, 4)), image, /*exact=*/true);
    for (std::size_t i = 0; i < model.graph.layers.size(); ++i) {
      if (model.graph.layers[i].name == wide) {
        model.plan.layers[i].weights = FixedFormat{12, 7};
      }
    }
    InferenceNetwork network(model.graph, model.state, NumberType::float32, &model.plan, image.n);
    EXPECT_EQ(network.plan().integer_products(), 4);
    EXPECT_EQ(network.plan().products(), 5);
    const InferencePlan plan = plan_inference(model.graph, *model.state, NumberType::float32, &model.plan);
    InferenceReference reference(model.graph, plan);
    const auto& expected = reference.run(model.images);
    const auto found = network.run(model.images);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_NEAR(found[i], expected[i], 1e-5) << i;
    }
  }
}

TEST(FoldedFloat32, EqualsTheLayers) {
  std::vector<Case> all = cases();
  all.push_back({make_model("lenet5", 10), {2, 1, 28, 28}});
  all.push_back({make_model("alexnet", 10), {3, 3, 32, 32}});
  for (const Case& one : all) {
    SCOPED_TRACE(one.model.name);
    ByteModel model(one.model, one.image, /*exact=*/false);
    Network layers(model.graph, model.state, /*training=*/false);
    Pass pass;
    layers.forward(model.images, model.labels, pass);
    InferenceNetwork network(model.graph, model.state, NumberType::float32, nullptr, one.image.n);
    EXPECT_EQ(network.plan().integer_products(), 0);
    const auto found = network.run(model.images);
    for (std::size_t i = 0; i < found.size(); ++i) {
      ASSERT_NEAR(found[i], layers.logits()[i], 1e-4 * (1 + std::abs(layers.logits()[i]))) << i;
    }
  }
}

/// Whether networks of floats come out as they do with a library that is made wrong on purpose. Ends the
/// process.
[[noreturn]] void infer_floats_with_wrong_library() {
  bool near = true;
  for (const Case& one : cases()) {
    for (const NumberType floats : {NumberType::float32, NumberType::bfloat16}) {
      if (floats == NumberType::bfloat16 && !onednn::has_bfloat16()) {
        continue;
      }
      ByteModel model(one.model, one.image, /*exact=*/false);
      InferenceNetwork usual(model.graph, model.state, floats, nullptr, one.image.n);
      const auto expected = usual.run(model.images);
      ::setenv("ADAPT_FAULT", "falsify,phase=known_answer", 1);
      fault::arm(0);
      InferenceNetwork own(model.graph, model.state, floats, nullptr, one.image.n);
      ::unsetenv("ADAPT_FAULT");
      fault::arm(0);
      const auto found = own.run(model.images);
      const float relative = floats == NumberType::bfloat16 ? 0.1F : 1e-4F;
      near = near && std::equal(found.begin(), found.end(), expected.begin(), [&](float a, float b) {
               return std::abs(a - b) <= relative * (1 + std::abs(b));
             });
    }
  }
  std::cerr << (near ? "near" : "far");
  std::exit(0);
}

TEST(FoldedFloat32, OwnProductsTakeThePlaceOfAWrongLibrary) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(infer_floats_with_wrong_library(), testing::ExitedWithCode(0),
              "^(adapt: warning: oneDNN [^\n]*\n)*adapt: warning: oneDNN [^\n]*wrong sums of products[^\n]*\n"
              "(adapt: warning: oneDNN [^\n]*\n)*near$");
}

TEST(FoldedFloat32, PiecesMakeNoDifference) {
  // The network takes 1.3 MB per image: pieces of one image.
  const Shape image = {5, 3, 64, 64};
  SmallModel model(residual_model(32, 2, 32), image, /*training=*/false);
  InferenceNetwork whole(model.graph, model.state, NumberType::float32, nullptr, 5);
  InferenceNetwork single(model.graph, model.state, NumberType::float32, nullptr, 1);
  const auto all = whole.run(model.images);
  const std::size_t pixels = model.images.size() / 5;
  for (std::size_t n = 0; n < 5; ++n) {
    const auto one = single.run(std::span<const float>(model.images).subspan(n * pixels, pixels));
    for (std::size_t c = 0; c < one.size(); ++c) {
      EXPECT_NEAR(all[n * one.size() + c], one[c], 1e-4 * (1 + std::abs(one[c])));
    }
  }
}

TEST(FoldedFloat32, RefusesOtherSizes) {
  SmallModel model(residual_model(16, 2, 4), {2, 3, 8, 8}, /*training=*/false);
  InferenceNetwork network(model.graph, model.state, NumberType::float32, nullptr, 2);
  EXPECT_THROW(static_cast<void>(network.run(std::span<const float>(model.images).first(7))), Failure);
}

}  // namespace
}  // namespace adapt::test
