#pragma once

#include <dnnl.hpp>
#include <functional>
#include <vector>

#include "nn/passes/inference_plan.hpp"

namespace adapt {

/// A value's memory. That of the images moves: `data` is asked when the step runs.
struct ValueMemory {
  InferenceValue value;
  dnnl::memory data;
};

/// What a step is compiled from.
struct StepParts {
  const Graph& graph;
  ModelState& state;
  const InferenceStep& step;
  std::vector<ValueMemory> sources;
  ValueMemory destination;  ///< with a residual: holds it before
  NumberType residual_type = NumberType::float32;
};

/// Makes all that a step needs to run; calls of the result allocate nothing but what a pooling of floats
/// does. Throws Failure where oneDNN refuses.
std::function<void()> compile_step(const StepParts& parts);

/// oneDNN's name of a type.
dnnl::memory::data_type onednn_type_of(NumberType type);

/// Memory of a value at `data` (null: none yet).
dnnl::memory value_memory(const InferenceValue& value, void* data);

}  // namespace adapt
