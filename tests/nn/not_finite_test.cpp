#include "nn/not_finite.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <ostream>

#include "nn/kernels/onednn.hpp"
#include "nn/models.hpp"
#include "small_model.hpp"
#include "support/model_builder.hpp"

namespace adapt {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Engine {
  const char* name;
  Arithmetic arithmetic;
  bool quantized;    ///< the graph has quantizations
  bool has_formats;  ///< and the plan formats of 8 bits, so that they do something
};

void PrintTo(const Engine& engine, std::ostream* out) { *out << engine.name; }

/// Convolutions with batch norm behind them, alone and in a residual sum, and a linear layer.
ModelDescription residual_model() {
  ModelBuilder model("residual");
  model.convolution("conv1", {.channels = 8, .kernel = 3, .padding = 1}).batch_norm("bn1").relu();
  const int entry = model.value();
  model.convolution("conv2", {.channels = 8, .kernel = 3, .padding = 1}).batch_norm("bn2").add("sum", entry);
  return model.relu().average_pool(2).linear("fc", 6).build();
}

PrecisionPlan plan_of(const Graph& graph, bool has_formats) {
  PrecisionPlan plan;
  plan.layers.resize(graph.layers.size());
  for (LayerFormats& layer : plan.layers) {
    for (const auto tensor : kTensors<std::optional<FixedFormat>>) {
      layer.*tensor = has_formats ? std::optional(FixedFormat{8, 4}) : std::nullopt;
    }
  }
  return plan;
}

class NotFiniteTest : public ::testing::TestWithParam<Engine> {
 protected:
  NotFiniteTest()
      : model_(residual_model(), {4, 3, 8, 8}, /*training=*/true, GetParam().quantized),
        plan_(plan_of(model_.graph, GetParam().has_formats)) {
    pass_.step = 3;
    pass_.plan = GetParam().quantized ? &plan_ : nullptr;
  }

  void SetUp() override {
    if (GetParam().arithmetic == Arithmetic::bfloat16 && !onednn::has_bfloat16()) {
      GTEST_SKIP() << "no bfloat16 products on this processor";
    }
    network_.emplace(model_.graph, model_.state, /*training=*/true, GetParam().arithmetic);
    if (GetParam().arithmetic == Arithmetic::integer) {
      EXPECT_EQ(network_->integer_layers(pass_), 3);
    }
  }

  void spoil(const std::string& parameter, float value) {
    Parameter& spoiled = model_.state->parameters.at(model_.state->find(parameter));
    spoiled.master[0] = value;
    use_master(spoiled);
  }

  /// Where, as is said when it is asked for.
  std::string found() { return network_->first_not_finite(model_.images, pass_).value_or("nothing"); }

  /// Where, as a pass says that is to quantize what is not finite; empty where none says so.
  std::string refused() {
    try {
      network_->forward(model_.images, model_.labels, pass_);
    } catch (const NotFinite& error) {
      EXPECT_EQ(error.what(), concat("NaN or Inf in ", error.where(),
                                     " at step 3, shard 0; a smaller training.learning_rate may help"));
      return error.where();
    }
    return "";
  }

  test::SmallModel model_;
  PrecisionPlan plan_;
  Pass pass_;
  std::optional<Network> network_;
};

TEST_P(NotFiniteTest, NoLayerIsToBlameForFiniteNumbers) {
  EXPECT_EQ(refused(), "");
  EXPECT_EQ(found(), "nothing");
}

TEST_P(NotFiniteTest, NamesAProductByItsBias) {
  for (const char* const layer : {"fc", "conv2", "conv1"}) {  // an earlier one each time
    spoil(concat(layer, ".bias"), kNan);
    const std::string expected = concat("the output of '", layer, "'");
    EXPECT_EQ(found(), expected);
    EXPECT_EQ(refused(), GetParam().has_formats ? expected : "");
  }
}

TEST_P(NotFiniteTest, NamesABatchNormThatOthersAreFusedTo) {
  spoil("bn2.shift", kInfinity);
  EXPECT_EQ(found(), "the output of 'bn2'");
  EXPECT_EQ(refused(), GetParam().has_formats ? "the output of 'bn2'" : "");
  spoil("bn1.scale", kInfinity);
  EXPECT_EQ(found(), "the output of 'bn1'");
}

TEST_P(NotFiniteTest, NamesTheLayerOfAWeight) {
  spoil("conv2.weight", kNan);
  const std::string expected =
      GetParam().arithmetic == Arithmetic::integer ? "the weights of 'conv2'" : "the output of 'conv2'";
  EXPECT_EQ(found(), expected);
  EXPECT_EQ(refused(), GetParam().has_formats ? expected : "");
}

TEST_P(NotFiniteTest, NamesALayerWhoseSumsOverflow) {
  if (GetParam().arithmetic == Arithmetic::integer) {
    GTEST_SKIP() << "integers do not";
  }
  Parameter& weight = model_.state->parameters.at(model_.state->find("conv2.weight"));
  for (std::size_t i = 0; i < weight.master.size(); ++i) {
    weight.master[i] = std::copysign(3e38F, weight.master[i]);
  }
  use_master(weight);
  EXPECT_EQ(found(), "the output of 'conv2'");
  EXPECT_EQ(refused(), GetParam().has_formats ? "the output of 'conv2'" : "");
}

TEST_P(NotFiniteTest, NamesASumThatOverflows) {
  if (GetParam().has_formats) {
    GTEST_SKIP() << "what goes to a sum is on its grid";
  }
  Parameter& weight = model_.state->parameters.at(model_.state->find("conv2.weight"));
  std::fill(weight.master.begin(), weight.master.end(), 0.0F);
  use_master(weight);
  spoil("bn1.shift", 3e38F);
  spoil("bn2.shift", 3e38F);
  EXPECT_EQ(found(), "the output of 'sum'");
}

TEST_P(NotFiniteTest, KnowsTheImages) {
  model_.images[5] = kInfinity;
  EXPECT_EQ(found(), "the images");
  EXPECT_EQ(refused(), GetParam().has_formats ? "the images" : "");
}

INSTANTIATE_TEST_SUITE_P(Engines, NotFiniteTest,
                         ::testing::Values(Engine{"float32", Arithmetic::emulated, false, false},
                                           Engine{"bfloat16", Arithmetic::bfloat16, false, false},
                                           Engine{"emulated_without_formats", Arithmetic::emulated, true,
                                                  false},
                                           Engine{"emulated", Arithmetic::emulated, true, true},
                                           Engine{"integer", Arithmetic::integer, true, true}),
                         [](const auto& engine) { return std::string(engine.param.name); });

}  // namespace
}  // namespace adapt
