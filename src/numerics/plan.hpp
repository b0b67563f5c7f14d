#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "numerics/format.hpp"

namespace adapt {

/// One T for each tensor of a quantized layer: a convolution or linear layer with its bias and the batch norm
/// behind it.
template <class T>
struct PerTensor {
  T weights{};
  T inputs{};                ///< activations entering the layer
  T outputs{};               ///< activations leaving the layer, before batch norm and activation function
  T gradients{};             ///< parameter gradients on the wire
  T operands{};              ///< what goes on from the layer (behind its batch norm) to a residual sum
  T activation_gradients{};  ///< gradients flowing back into the layer from its output

  bool operator==(const PerTensor&) const = default;
};

/// All tensors, to go through them: layer.*tensor.
template <class T>
inline constexpr std::array<T PerTensor<T>::*, 6> kTensors = {
    &PerTensor<T>::weights,   &PerTensor<T>::inputs,   &PerTensor<T>::outputs,
    &PerTensor<T>::gradients, &PerTensor<T>::operands, &PerTensor<T>::activation_gradients};

/// Their names, in the same order, for messages.
inline constexpr std::array kTensorNames = {"weights",   "inputs",   "outputs",
                                            "gradients", "operands", "activation gradients"};

/// Formats of a layer. An absent format means float32.
using LayerFormats = PerTensor<std::optional<FixedFormat>>;

/// Largest magnitudes of a layer's tensors. Absent: not asked for (observing) or not known (history).
using LayerMaxima = PerTensor<std::optional<float>>;

/// Raises a maximum that is asked for. NaN is the largest of all.
inline void raise(std::optional<float>& maximum, float magnitude) {
  if (maximum && !std::isnan(*maximum) && !(magnitude <= *maximum)) {
    maximum = magnitude;
  }
}

/// Formats of all quantized layers, in the model's order. The version grows by one with every change.
///
/// A policy decides a plan. With one format per layer the engines execute it as it is. With `per_tensor` only
/// its word lengths count: TensorScales makes the plan that the engines execute, with each tensor's own
/// fractional length.
struct PrecisionPlan {
  std::int64_t version = 0;
  std::vector<LayerFormats> layers;
  /// False: a bias and the scale and shift of a batch norm share the formats of their layer's weights and
  /// gradients. True: formats are those of the weight tensor alone, and the others, whose range is another,
  /// stay float32.
  bool per_tensor = false;
  /// Epochs that were done when the policy entered its last phase, from which on nothing will change
  /// (MuPPET's float32 epochs); -1 before, and for policies without one.
  std::int64_t final_phase = -1;

  bool operator==(const PrecisionPlan&) const = default;
};

/// Whether any layer has a format for `tensor`.
[[nodiscard]] bool has_format(const PrecisionPlan& plan, std::optional<FixedFormat> LayerFormats::*tensor);

/// What may change of a plan, as numbers: version, start of the final phase, word length (0: float32) and
/// fractional length of each tensor of each layer.
std::vector<std::int64_t> pack(const PrecisionPlan& plan);

/// The way back, into a plan with as many layers. Throws BadInput where the numbers are no plan for it.
void unpack(std::span<const std::int64_t> packed, PrecisionPlan& plan);

/// Throws BadInput unless all formats are ones to compute with (see quantize.hpp).
void check_formats(const PrecisionPlan& plan);

}  // namespace adapt
