#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "nn/operation.hpp"

namespace adapt::ops {

/// The parameters of a product: a weight (outputs, ...), and with `bias` one number for each output.
inline std::vector<ParameterShape> weight_and_bias(std::vector<std::int64_t> weight, bool bias) {
  const std::int64_t outputs = weight.front();
  std::vector<ParameterShape> shapes = {{ParameterRole::weight, ".weight", std::move(weight)}};
  if (bias) {
    shapes.push_back({ParameterRole::bias, ".bias", {outputs}});
  }
  return shapes;
}

}  // namespace adapt::ops
