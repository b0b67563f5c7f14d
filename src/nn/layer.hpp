#pragma once

#include <cstdint>
#include <dnnl.hpp>
#include <string>
#include <vector>

#include "nn/graph.hpp"
#include "nn/parameters.hpp"
#include "numerics/format.hpp"
#include "numerics/plan.hpp"
#include "numerics/rounding_loss.hpp"

namespace adapt {

/// Of the activations and their gradients; the others stay empty.
using LayerLossCounters = PerTensor<LossCounter>;

/// Multiply-adds of convolutions and linear layers, and how many of them were in exact integer arithmetic.
struct ProductWork {
  std::int64_t madds = 0;
  std::int64_t integer = 0;
};

/// What the layers need to know about the pass that runs.
struct Pass {
  std::uint64_t seed = 0;
  std::uint32_t step = 0;
  std::uint32_t shard = 0;
  Rounding rounding = Rounding::nearest;  ///< of activations
  const PrecisionPlan* plan = nullptr;    ///< null: all float32
  /// By quantized layer: raised to the largest magnitudes of the tensors that are present in it; null: none.
  std::vector<LayerMaxima>* maxima = nullptr;
  /// By quantized layer: counts what its tensors lose by being put on their grids; null: not counted.
  std::vector<LayerLossCounters>* losses = nullptr;
  double label_smoothing = 0;     ///< of the loss
  bool names_not_finite = false;  ///< forward throws NotFinite at the first node that puts out NaN or Inf
  bool heeds_stop = false;        ///< a stop signal ends forward and backward half-way, by check_stop()
  double quantize_seconds = 0;    ///< time spent in quantization, counted by the layers
  ProductWork work = {};          ///< counted by the layers of quantized graphs
};

/// The memory a layer works on. Activations are (N, C, H, W), channels last, float32; layers that stand on
/// oneDNN's take bfloat16, too (parameters and their gradients stay float32).
struct LayerMemory {
  std::vector<dnnl::memory> sources;
  dnnl::memory destination;
  std::vector<dnnl::memory> source_gradients;  ///< an empty memory where none is wanted
  dnnl::memory destination_gradient;           ///< empty at inference
};

/// One layer of a network, compiled for a batch size.
class Layer {
 public:
  virtual ~Layer() = default;
  Layer() = default;
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;

  /// destination ← f(sources).
  virtual void forward(Pass& pass) = 0;
  /// source_gradients ← from destination_gradient; parameter gradients are overwritten. Called after forward
  /// of the same pass; of a convolution or linear layer, its sources and destination may have been computed
  /// by another arithmetic.
  virtual void backward(Pass& pass) = 0;
};

}  // namespace adapt
