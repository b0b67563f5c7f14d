#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "nn/executor.hpp"
#include "nn/graph.hpp"
#include "nn/kernels/loss.hpp"
#include "nn/layer.hpp"
#include "nn/parameters.hpp"

namespace adapt {

/// Seconds that a network has spent, by phase.
struct NetworkSeconds {
  double forward = 0;   ///< quantization excluded
  double backward = 0;  ///< likewise
  double quantize = 0;
};

/// What a network computes with. Of a quantized graph: float32 on the grid (emulated), or exact integers
/// where these have at most 16 bits; both mean the same. Of a graph without quantizations: float32 (emulated,
/// too), or mixed precision, where activations, their gradients and the operands of products are bfloat16,
/// sums, batch statistics, parameters and their gradients float32.
enum class Arithmetic { emulated, integer, bfloat16 };

/// Most bytes that a network for these arguments takes for values and gradients (ModelState::values) and for
/// the casts at its ends, known before it is made. With integers as much as without: a layer may leave 8 bits
/// at any time.
std::int64_t value_bytes(const Graph& graph, bool training, Arithmetic arithmetic);

/// About the bytes of the copies of weights that a network makes in the layouts that its kernels like, and of
/// the sums of their gradients.
std::int64_t weight_copy_bytes(const Graph& graph, bool training, Arithmetic arithmetic);

/// A model compiled for one batch size, for training or inference; the parameters are shared with other
/// networks of the same model.
class Network {
 public:
  Network(const Graph& graph, std::shared_ptr<ModelState> state, bool training,
          Arithmetic arithmetic = Arithmetic::emulated);
  ~Network();
  Network(Network&&) noexcept;
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  /// Images of a batch.
  [[nodiscard]] int batch() const;

  /// Runs the images (N, H, W, C) through the network and returns loss and hits of the first labels.size() of
  /// them (at most N; fewer for the last batch of a data set, at inference only). `images` must stay valid
  /// until backward is done; it is not written. Throws NotFinite where NaN or Inf would be quantized, naming
  /// the layer in which they first appear.
  LossSum forward(std::span<const float> images, std::span<const std::int32_t> labels, Pass& pass);

  /// Parameter gradients of the mean loss of the batch of the last forward, into Parameter::gradient. The
  /// time in `ready` is not the network's.
  void backward(Pass& pass, const GradientsReady& ready = {});

  /// Where NaN or Inf first appears when the images run forward once more, in words: "the output of 'conv2'";
  /// nothing where no node puts one out.
  [[nodiscard]] std::optional<std::string> first_not_finite(std::span<const float> images, Pass pass);

  /// The logits (N, classes) of the last forward.
  [[nodiscard]] std::span<const float> logits() const;

  /// How many convolution and linear layers run forward in integers under the plan of `pass`, whatever the
  /// numbers are.
  [[nodiscard]] int integer_layers(const Pass& pass) const;

  [[nodiscard]] const NetworkSeconds& seconds() const;

  /// From now on the time of each node is counted; without this call nothing is measured node by node.
  void count_layers();
  /// By node of the graph; empty unless counted.
  [[nodiscard]] const std::vector<LayerSeconds>& layer_seconds() const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace adapt
