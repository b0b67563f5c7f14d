// What a per_tensor plan does to parameters.

#include <gtest/gtest.h>

#include "control/working_weights.hpp"
#include "nn/models.hpp"
#include "nn/passes/lower.hpp"
#include "support/model_builder.hpp"

namespace adapt {
namespace {

struct Model {
  Graph graph = lower(small_resnet(4, 1), {2, 3, 8, 8}, true);
  std::shared_ptr<ModelState> state = initialize(graph, 1.0, 5);

  PrecisionPlan plan(bool per_tensor) {
    PrecisionPlan plan;
    plan.per_tensor = per_tensor;
    const FixedFormat format{4, 2};
    plan.layers.assign(graph.layers.size(),
                       {.weights = format, .outputs = format, .operands = FixedFormat{5, 1}});
    return plan;
  }
};

TEST(PerTensor, OnlyWeightTensorsHaveTheFormat) {
  Model model;
  for (const bool per_tensor : {false, true}) {
    const PrecisionPlan plan = model.plan(per_tensor);
    int with_format = 0;
    for (const Parameter& parameter : model.state->parameters) {
      const bool expected = parameter.layer >= 0 && (!per_tensor || parameter.role == ParameterRole::weight);
      EXPECT_EQ(working_format(parameter, plan).has_value(), expected) << parameter.name;
      with_format += expected ? 1 : 0;
    }
    EXPECT_EQ(with_format, per_tensor ? 10 : 29);  // 10 layers, 9 batch norms, one bias
  }
}

TEST(PerTensor, BatchNormsStayFloat32) {
  Model model;
  Parameter& scale = model.state->parameters[model.state->find("bn1.scale")];
  scale.master[0] = 3.3F;  // beyond ⟨4, 2⟩
  make_working_weights(*model.state, model.plan(true), 1, 1);
  EXPECT_EQ(scale.working[0], 3.3F);
  make_working_weights(*model.state, model.plan(false), 1, 1);
  EXPECT_EQ(scale.working[0], 1.75F);
}

TEST(PerTensor, ExtremesAreOfTheWeightsAlone) {
  Model model;
  Parameter& weight = model.state->parameters[model.state->find("conv1.weight")];
  weight.master[3] = -7.0F;
  weight.master[4] = 5.0F;
  model.state->parameters[model.state->find("bn1.scale")].master[0] = 100.0F;
  const auto extremes = weight_extremes(*model.state, model.graph.layers.size());
  EXPECT_EQ(extremes.at(0), (Extremes{-7.0F, 5.0F}));
  EXPECT_NE(extremes.at(9), Extremes{});
}

}  // namespace
}  // namespace adapt
