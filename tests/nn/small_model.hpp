#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "nn/description.hpp"
#include "nn/network.hpp"
#include "nn/passes/lower.hpp"
#include "numerics/random.hpp"

namespace adapt::test {

/// A model with its state, a training network and one batch of random images, for tests of layers.
struct SmallModel {
  SmallModel(const ModelDescription& model, const Shape& image, bool training = true, bool quantized = false)
      : graph(lower(model, image, quantized)),
        state(initialize(graph, 1.0, 7)),
        network(graph, state, training),
        images(static_cast<std::size_t>(image.elements())) {
    RandomSequence random({.seed = 5});
    for (float& pixel : images) {
      pixel = static_cast<float>(random.normal());
    }
    const int classes = graph.nodes.back().output.c;
    for (int n = 0; n < image.n; ++n) {
      labels.push_back(static_cast<std::int32_t>(random.below(static_cast<std::uint32_t>(classes))));
    }
    // Biases and scales that are not 0 and 1 make a wrong use of them show.
    for (Parameter& parameter : state->parameters) {
      if (parameter.role == ParameterRole::weight) {
        continue;
      }
      for (float& value : parameter.master) {
        value += 0.3F * static_cast<float>(random.normal());
      }
      use_master(parameter);
    }
  }

  /// Mean loss over the batch.
  double loss() {
    Pass pass;
    return network.forward(images, labels, pass).loss / static_cast<double>(labels.size());
  }

  Graph graph;
  std::shared_ptr<ModelState> state;
  Network network;
  AlignedVector<float> images;
  std::vector<std::int32_t> labels;
};

}  // namespace adapt::test
