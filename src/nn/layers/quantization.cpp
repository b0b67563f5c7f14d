#include "nn/layers/quantization.hpp"

#include <algorithm>
#include <optional>
#include <span>

#include "base/error.hpp"
#include "base/stopwatch.hpp"
#include "numerics/quantize.hpp"
#include "numerics/sum.hpp"

namespace adapt {
namespace {

/// What is quantized: which tensor of the layer, with which random numbers.
struct Target {
  std::optional<FixedFormat> LayerFormats::*format;
  std::optional<float> LayerMaxima::*maximum;
  Stream stream;
};

constexpr Target kActivationGradients = {&LayerFormats::activation_gradients,
                                         &LayerMaxima::activation_gradients, Stream::activation_gradients};

Target target_of(QuantizePlace place) {
  switch (place) {
    case QuantizePlace::inputs:
      return {&LayerFormats::inputs, &LayerMaxima::inputs, Stream::inputs};
    case QuantizePlace::outputs:
      return {&LayerFormats::outputs, &LayerMaxima::outputs, Stream::outputs};
    case QuantizePlace::operand:
      break;
  }
  return {&LayerFormats::operands, &LayerMaxima::operands, Stream::operands};
}

class QuantizationLayer : public Layer {
 public:
  QuantizationLayer(const GraphNode& node, const LayerMemory& memory)
      : name_(node.name),
        place_(std::get<QuantizeSpec>(node.spec).place),
        layer_(static_cast<std::size_t>(node.layer)),
        elements_(static_cast<std::size_t>(node.output.elements())),
        memory_(memory) {}

  void forward(Pass& pass) override {
    const Stopwatch watch;
    // Handles are read anew: the image's memory moves with each batch.
    run(pass, target_of(place_), pass.rounding, memory_.sources.front(), memory_.destination);
    pass.quantize_seconds += watch.seconds();
  }

  void backward(Pass& pass) override {
    if (place_ != QuantizePlace::outputs || !memory_.source_gradients.front()) {
      return;
    }
    const Stopwatch watch;
    run(pass, kActivationGradients, Rounding::stochastic, memory_.destination_gradient,
        memory_.source_gradients.front());
    pass.quantize_seconds += watch.seconds();
  }

 private:
  /// `to` ← `from` on the grid of the target; a copy where it has none.
  void run(Pass& pass, const Target& target, Rounding rounding, const dnnl::memory& from,
           const dnnl::memory& to) {
    const std::span source(static_cast<const float*>(from.get_data_handle()), elements_);
    const std::span destination(static_cast<float*>(to.get_data_handle()), elements_);
    const auto format = pass.plan == nullptr ? std::nullopt : pass.plan->layers.at(layer_).*target.format;
    std::optional<float>* maximum =
        pass.maxima == nullptr ? nullptr : &(pass.maxima->at(layer_).*target.maximum);
    const bool observed = maximum != nullptr && maximum->has_value();
    float largest = 0;
    if (format) {
      const RandomKey key = {pass.seed, target.stream, static_cast<std::uint32_t>(layer_), pass.step,
                             pass.shard};
      const QuantizeResult result = quantize(source, destination, *format, rounding, key);
      if (!result.finite) {
        throw Failure(concat("NaN or Inf in '", name_, "' at step ", pass.step, ", shard ", pass.shard,
                             "; a smaller training.learning_rate may help"));
      }
      largest = result.largest;
    } else {
      if (source.data() != destination.data()) {
        std::copy(source.begin(), source.end(), destination.begin());
      }
      largest = observed ? maximum_magnitude(source) : 0;
    }
    if (observed) {
      raise(*maximum, largest);
    }
  }

  std::string name_;
  QuantizePlace place_;
  std::size_t layer_;
  std::size_t elements_;
  LayerMemory memory_;
};

}  // namespace

std::unique_ptr<Layer> make_quantization(const GraphNode& node, const LayerMemory& memory) {
  return std::make_unique<QuantizationLayer>(node, memory);
}

}  // namespace adapt
