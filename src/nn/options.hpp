#pragma once

#include <string>

namespace adapt {

/// `model`: which network.
struct ModelOptions {
  std::string name = "lenet5";
  std::string graph;  ///< the text of a model file (nn/model_file.hpp); empty: the shipped model `name`
  double init_scale =
      0.5;  ///< s of TNVS: truncated normal, σ = sqrt(s / fan_in), cut at ± sqrt(3 s / fan_in)
  /// The file that `graph` was written out from, path and text, for messages; empty: not known.
  std::string file = {};
  std::string text = {};
};

/// `engine`: how the plan is executed.
struct EngineOptions {
  std::string name = "float32";         ///< float32, bfloat16, emulated, integer, auto
  std::string rounding = "stochastic";  ///< rounding of activations in training: stochastic, nearest
};

}  // namespace adapt
