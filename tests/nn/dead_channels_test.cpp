#include "nn/dead_channels.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "support/small_state.hpp"

namespace adapt {
namespace {

using test::parameter;

Parameter tensor(ParameterRole role, int layer, std::vector<std::int64_t> dims, std::vector<float> master) {
  Parameter made = parameter("p", role, layer, std::move(master));
  made.dims = std::move(dims);
  return made;
}

TEST(DeadChannels, OfWeightsAndScales) {
  ModelState state;
  // Channel 1 has nothing, channel 2 less than 1/256 of 2, channel 3 just as much.
  state.parameters.push_back(
      tensor(ParameterRole::weight, 0, {4, 2}, {2, 0, 0, 0, 0.0078F, -0.0078F, -2.0F / 256, 0}));
  state.parameters.push_back(tensor(ParameterRole::bias, 0, {4}, {0, 0, 0, 0}));
  // Its batch norm takes channel 0, too, and channel 1 twice.
  state.parameters.push_back(tensor(ParameterRole::scale, 0, {4}, {0.001F, 0, -1, 1}));
  state.parameters.push_back(tensor(ParameterRole::shift, 0, {4}, {0, 0, 0, 0}));
  state.parameters.push_back(tensor(ParameterRole::weight, 1, {2, 1}, {0.5F, 0.5F}));
  state.parameters.push_back(tensor(ParameterRole::weight, 2, {2, 1}, {0, 0}));
  state.parameters.push_back(tensor(ParameterRole::scale, -1, {2}, {0, 0}));
  EXPECT_EQ(dead_channels(state, 3), (std::vector<double>{0.75, 0, 1}));
}

}  // namespace
}  // namespace adapt
