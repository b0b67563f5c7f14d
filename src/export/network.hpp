#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "nn/graph.hpp"
#include "nn/parameters.hpp"
#include "nn/passes/fusion.hpp"
#include "nn/passes/inference_plan.hpp"
#include "numerics/plan.hpp"
#include "record/run_log.hpp"

namespace adapt {

/// What run.h5 holds of a trained network.
struct StoredNetwork {
  std::string name;
  std::string text;  ///< the network, as a model file
  Graph graph;       ///< without quantizations, for one image
  Graph quantized;   ///< the same with them (nn/passes/lower.hpp)
  std::vector<ModelTensor> tensors;
  std::shared_ptr<ModelState> state;  ///< with the tensors' values
  PrecisionPlan plan;
};

/// A trained network as exporters take it, made once for all of them.
struct ExportNetwork {
  /// Plans its inference as engine integer runs it, windows kept.
  explicit ExportNetwork(StoredNetwork network);

  /// The graph's nodes that a step of `inference` works off.
  [[nodiscard]] const FusedGroup& group_of(const InferenceStep& step) const;
  /// The formats of the layer that a product of either graph belongs to.
  [[nodiscard]] const LayerFormats& formats_of(const GraphNode& product) const;
  /// Its tensors in the order of the graph, not of their names.
  [[nodiscard]] const Parameter& parameter(const std::string& name) const;
  /// Throws Failure where there are none.
  [[nodiscard]] const RunningStatistics& statistics(const std::string& name) const;

  StoredNetwork stored;
  InferencePlan inference;

 private:
  std::vector<FusedGroup> groups_;
};

/// A line of what `adapt export` prints.
struct ExportedLayer {
  std::string name;
  std::string bits;  ///< of weights and inputs
  std::string how;
};

/// A whole file, and how each convolution and linear layer went into it.
struct ExportedFile {
  std::vector<std::byte> bytes;
  std::vector<ExportedLayer> layers;
};

/// "8" for a format, "float32" for none.
std::string bits_of(const std::optional<FixedFormat>& format);

/// `values` of maps (rows, H, W, C), channels last, as (rows, C, H, W).
template <class T>
std::vector<T> channels_first(const std::vector<T>& values, const Shape& map) {
  const auto channels = static_cast<std::size_t>(map.c);
  const auto pixels = static_cast<std::size_t>(map.h) * static_cast<std::size_t>(map.w);
  std::vector<T> moved(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t row = i / (pixels * channels);
    moved[(row * channels + i % channels) * pixels + i / channels % pixels] = values[i];
  }
  return moved;
}

}  // namespace adapt
