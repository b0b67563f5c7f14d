#include "nn/layers/quantization.hpp"

#include <algorithm>
#include <span>

#include "base/error.hpp"
#include "base/stopwatch.hpp"
#include "numerics/quantize.hpp"

namespace adapt {
namespace {

Stream stream_of(QuantizePlace place) {
  switch (place) {
    case QuantizePlace::inputs:
      return Stream::inputs;
    case QuantizePlace::outputs:
      return Stream::outputs;
    case QuantizePlace::operand:
      break;
  }
  return Stream::operands;
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
    const std::span source(static_cast<const float*>(memory_.sources.front().get_data_handle()), elements_);
    const std::span destination(static_cast<float*>(memory_.destination.get_data_handle()), elements_);
    if (const auto format = format_of(pass)) {
      const RandomKey key = {pass.seed, stream_of(place_), static_cast<std::uint32_t>(layer_), pass.step,
                             pass.shard};
      if (!quantize(source, destination, *format, pass.rounding, key).finite) {
        throw Failure(concat("NaN or Inf in '", name_, "' at step ", pass.step, ", shard ", pass.shard,
                             "; a smaller training.learning_rate may help"));
      }
    } else if (source.data() != destination.data()) {
      std::copy(source.begin(), source.end(), destination.begin());
    }
    pass.quantize_seconds += watch.seconds();
  }

  void backward(Pass& /*pass*/) override {}

 private:
  [[nodiscard]] std::optional<FixedFormat> format_of(const Pass& pass) const {
    if (pass.plan == nullptr) {
      return std::nullopt;
    }
    const LayerFormats& formats = pass.plan->layers.at(layer_);
    return place_ == QuantizePlace::inputs ? formats.inputs : formats.outputs;
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
