#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "numerics/format.hpp"

namespace adapt {

/// Formats of one quantized layer (a convolution or linear layer with its bias and the batch norm behind it).
/// An absent format means float32.
struct LayerFormats {
  std::optional<FixedFormat> weights;
  std::optional<FixedFormat> inputs;     ///< activations entering the layer
  std::optional<FixedFormat> outputs;    ///< activations leaving the layer
  std::optional<FixedFormat> gradients;  ///< parameter gradients on the wire

  bool operator==(const LayerFormats&) const = default;
};

/// Formats of all quantized layers, in the model's order. The version grows by one with every change.
struct PrecisionPlan {
  std::int64_t version = 0;
  std::vector<LayerFormats> layers;

  bool operator==(const PrecisionPlan&) const = default;
};

}  // namespace adapt
