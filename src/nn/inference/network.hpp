#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "nn/kernels/loss.hpp"
#include "nn/network.hpp"
#include "nn/passes/inference_plan.hpp"

namespace adapt {

/// A trained model, compiled for inference only: everything is folded (nn/passes/inference_plan.hpp),
/// primitives, arguments and memory are made once, and a batch goes through the whole network in pieces that
/// stay in the second cache.
class InferenceNetwork {
 public:
  /// `graph` is one without quantizations; its batch size does not count. `state` must not change any more.
  /// `floats` and `formats` as for plan_inference.
  InferenceNetwork(const Graph& graph, std::shared_ptr<ModelState> state, NumberType floats,
                   const PrecisionPlan* formats, int batch);
  ~InferenceNetwork();
  InferenceNetwork(InferenceNetwork&&) noexcept;
  InferenceNetwork(const InferenceNetwork&) = delete;
  InferenceNetwork& operator=(const InferenceNetwork&) = delete;

  [[nodiscard]] int batch() const;
  [[nodiscard]] const InferencePlan& plan() const;

  /// Logits (N, classes) of the images (N, H, W, C), N = batch(); they stay until the next call. Throws
  /// Failure where sizes differ.
  std::span<const float> run(std::span<const float> images);

  /// Loss and hits of the first labels.size() images, at most batch().
  LossSum classify(std::span<const float> images, std::span<const std::int32_t> labels);

  /// The logits of the last call.
  [[nodiscard]] std::span<const float> logits() const;

  /// As of Network: time by step of the plan.
  void count_layers();
  [[nodiscard]] const std::vector<LayerSeconds>& layer_seconds() const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace adapt
