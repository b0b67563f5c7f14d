#pragma once

#include <array>
#include <optional>
#include <string>

#include "base/names.hpp"
#include "numerics/format.hpp"

namespace adapt {

/// How layers are executed. float32: plain; bfloat16: mixed precision; emulated: operands on the fixed-point
/// grid, float32 arithmetic; integer: the same meaning, products of at most 16 bits in exact integers.
enum class Engine { float32, bfloat16, emulated, integer };
template <>
inline constexpr auto kNames<Engine> =
    std::array{Named{"float32", Engine::float32}, Named{"bfloat16", Engine::bfloat16},
               Named{"emulated", Engine::emulated}, Named{"integer", Engine::integer}};

/// `model`: which network.
struct ModelOptions {
  std::string name = "lenet5";
  std::string graph;  ///< the text of a model file (nn/model_file.hpp); empty: the shipped model `name`
  double init_scale =
      0.5;  ///< s of TNVS: truncated normal, σ = sqrt(s / fan_in), cut at ± sqrt(3 s / fan_in)
  /// A run folder, an .npz or .onnx file to start from (record/weights_file.hpp), and its digest; empty:
  /// none.
  std::string weights = {};
  std::string weights_sha256 = {};
  /// The file that `graph` was written out from, path and text, for messages; empty: not known.
  std::string file = {};
  std::string text = {};
};

/// `engine`: how the plan is executed.
struct EngineOptions {
  std::optional<Engine> name = Engine::float32;  ///< none: auto, the fastest that fits policy and processor
  Rounding rounding = Rounding::stochastic;      ///< of activations in training
};

}  // namespace adapt
