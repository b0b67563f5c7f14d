#pragma once

#include <memory>
#include <span>
#include <vector>

#include "nn/description.hpp"
#include "nn/network.hpp"
#include "nn/options.hpp"
#include "nn/work.hpp"
#include "numerics/plan.hpp"

namespace adapt {

/// A model as training left it.
struct TrainedModel {
  ModelDescription description;
  Shape image;  ///< N = 1
  std::shared_ptr<ModelState> state;
  PrecisionPlan plan;
};

/// A trained model that classifies images in batches of one size.
class Classifier {
 public:
  virtual ~Classifier() = default;
  Classifier() = default;
  Classifier(const Classifier&) = delete;
  Classifier& operator=(const Classifier&) = delete;

  [[nodiscard]] virtual int batch() const = 0;
  /// Loss and hits of the first labels.size() of the images (N, H, W, C), N = batch().
  virtual LossSum classify(std::span<const float> images, std::span<const std::int32_t> labels) = 0;
  /// The logits (N, classes) of the last call.
  [[nodiscard]] virtual std::span<const float> logits() const = 0;
  /// As of Network.
  virtual void count_layers() = 0;
  [[nodiscard]] virtual const std::vector<LayerSeconds>& layer_seconds() const = 0;
  /// By layer as counted: what one call of classify has to do at least.
  [[nodiscard]] virtual std::vector<LayerWork> work() const = 0;
  /// Convolution and linear layers whose products are integer ones.
  [[nodiscard]] virtual int integer_layers() const = 0;
};

/// `model` made ready for `batch` images at a time. An engine means at inference: emulated, what training
/// evaluates with; float32, batch norm folded into the weights, activations not quantized; bfloat16, the
/// same, activations and weights in bfloat16; integer, 8-bit products, everything folded
/// (nn/passes/inference_plan.hpp). Throws BadInput for `integer` where no layer fits 8 bits or the processor
/// has no exact 8-bit products.
[[nodiscard]] std::unique_ptr<Classifier> make_classifier(Engine engine, const TrainedModel& model,
                                                          int batch);

/// Throws BadInput where this processor cannot run an engine for inference, saying what else would do.
void check_inference_engine(Engine engine);

}  // namespace adapt
