#include "nn/layers/covering_convolution.hpp"
#include "nn/layers/product.hpp"
#include "nn/ops/registry.hpp"
#include "nn/ops/weight_and_bias.hpp"

namespace adapt::ops {
namespace {

class Convolution final : public Operation {
 public:
  Convolution(int channels, const Window& window, bool bias)
      : channels_(channels), window_(window), bias_(bias) {}

  [[nodiscard]] std::string_view kind() const override { return "convolution"; }
  [[nodiscard]] Shape output(const Shape& input) const override { return window_.output(input, channels_); }
  [[nodiscard]] std::vector<ParameterShape> parameters(const Shape& input) const override {
    return weight_and_bias({channels_, input.c, window_.kernel, window_.kernel}, bias_);
  }
  [[nodiscard]] BackwardNeeds backward() const override {
    return {.input = true, .output = false, .is_identity = false};
  }
  [[nodiscard]] bool works_in_place() const override { return false; }
  [[nodiscard]] bool keeps_grid() const override { return false; }
  [[nodiscard]] std::optional<ProductTerms> product() const override { return ProductTerms{window_, bias_}; }
  [[nodiscard]] std::optional<NormalizationTerms> normalization() const override { return std::nullopt; }
  [[nodiscard]] std::optional<Activation> activation() const override { return std::nullopt; }
  [[nodiscard]] std::optional<PoolingTerms> pooling(const Shape& /*input*/) const override {
    return std::nullopt;
  }
  [[nodiscard]] bool is_sum() const override { return false; }
  [[nodiscard]] std::optional<QuantizePlace> quantization() const override { return std::nullopt; }
  [[nodiscard]] std::unique_ptr<Layer> make_layer(const LayerParts& parts) const override {
    Parameter* const bias = bias_ ? &parts.parameters[1] : nullptr;
    return is_covering(window_, parts.input, parts.output)
               ? make_covering_convolution(window_, parts, parts.parameters[0], bias)
               : make_convolution(window_, parts, parts.parameters[0], bias);
  }

 private:
  int channels_;
  Window window_;
  bool bias_;
};

}  // namespace

/// Convolution of (N, C, H, W) with square kernels: `channels` outputs, zero padding on all sides.
OperationPtr read_convolution(OptionReader& options) {
  const int channels = options.integer("channels", 1, kMostChannels);
  const Window window = {options.integer("kernel", 1, kLargestKernel),
                         options.integer("stride", 1, kLargestStride, 1),
                         options.integer("padding", 0, kLargestKernel, 0)};
  return std::make_shared<Convolution>(channels, window, options.flag("bias", true));
}

}  // namespace adapt::ops
