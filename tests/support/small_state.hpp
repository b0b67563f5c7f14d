#pragma once

#include <string>
#include <utility>
#include <vector>

#include "nn/parameters.hpp"

namespace adapt::test {

/// A parameter with these master values, as a vector; `layer` -1: always float32.
inline Parameter parameter(std::string name, ParameterRole role, int layer, std::vector<float> master) {
  Parameter result;
  result.name = std::move(name);
  result.role = role;
  result.layer = layer;
  result.dims = {static_cast<std::int64_t>(master.size())};
  result.master.assign(master.begin(), master.end());
  result.working = result.master;
  result.gradient.resize(master.size());
  return result;
}

inline std::vector<float> to_vector(const AlignedVector<float>& values) {
  return {values.begin(), values.end()};
}

}  // namespace adapt::test
