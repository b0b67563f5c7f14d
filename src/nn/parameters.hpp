#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/aligned.hpp"
#include "base/arena.hpp"
#include "nn/graph.hpp"

namespace adapt {

/// One parameter tensor with all its copies, row-major.
struct Parameter {
  std::string name;  ///< "conv1.weight"
  ParameterRole role = ParameterRole::weight;
  int layer = -1;                  ///< quantized layer whose formats it shares; -1: always float32
  std::vector<std::int64_t> dims;  ///< weights: (out, in, height, width) or (out, in)
  AlignedVector<float> master;     ///< float32 copy that the optimizer updates
  AlignedVector<float>
      working;  ///< what forward and backward compute with: the master, or its quantized copy
  AlignedVector<float> gradient;  ///< of the shard that ran backward last
  std::uint64_t version =
      0;  ///< grows with every change of `working`, so that packed copies know when they are stale

  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(master.size()); }
};

/// Running statistics of one batch norm layer.
struct RunningStatistics {
  std::string name;  ///< "stage1.block1.bn1"
  double momentum = 0.1;
  AlignedVector<float> running_mean;      ///< (C)
  AlignedVector<float> running_variance;  ///< (C)
  AlignedVector<float> shard_mean;        ///< (C), of the shard that ran forward last
  AlignedVector<float> shard_variance;    ///< (C)
};

/// All state of a model that outlives a step. Networks for different batch sizes share one.
struct ModelState {
  std::vector<Parameter> parameters;          ///< in the order of the graph
  std::vector<RunningStatistics> statistics;  ///< in the order of the graph
  /// Activations and their gradients, of networks that take turns.
  std::unique_ptr<Arena> values = std::make_unique<Arena>();

  /// Index of a parameter by name; throws Failure if there is none.
  [[nodiscard]] std::size_t find(const std::string& name) const;
};

/// Allocates the state of a graph and initializes it: weights by TNVS (truncated normal with variance
/// scaling, algorithm.md "AdaPT"), biases 0, scales 1, shifts 0, running mean 0 and variance 1. A pure
/// function of its arguments.
std::shared_ptr<ModelState> initialize(const Graph& graph, double init_scale, std::uint64_t seed);

/// Elements of all parameter tensors of a graph.
std::int64_t parameter_elements(const Graph& graph);

/// Makes `working` a plain copy of the master (the float32 engine, after an update).
void use_master(Parameter& parameter);

}  // namespace adapt
