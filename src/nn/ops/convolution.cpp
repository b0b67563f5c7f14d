#include "nn/layers/full_map_convolution.hpp"
#include "nn/ops/registry.hpp"
#include "nn/ops/weight_and_bias.hpp"

namespace adapt::ops {
namespace {

class Convolution final : public Operation {
 public:
  Convolution(int channels, const ProductTerms& terms) : channels_(channels), terms_(terms) {}

  [[nodiscard]] std::string_view kind() const override { return "convolution"; }
  [[nodiscard]] Shape output(const Shape& input) const override {
    if (input.c % terms_.groups != 0 || channels_ % terms_.groups != 0) {
      throw BadInput(concat(terms_.groups, " groups do not divide ", input.c, " channels of the input and ",
                            channels_, " of the output evenly; expected a common divisor of both"));
    }
    return terms_.window->output(input, channels_);
  }
  [[nodiscard]] std::vector<ParameterShape> parameters(const Shape& input) const override {
    const int kernel = terms_.window->kernel;
    return weight_and_bias({channels_, input.c / terms_.groups, kernel, kernel}, terms_.bias);
  }
  [[nodiscard]] BackwardNeeds backward() const override {
    return {.input = true, .output = false, .is_identity = false};
  }
  [[nodiscard]] bool works_in_place() const override { return false; }
  [[nodiscard]] bool keeps_grid() const override { return false; }
  [[nodiscard]] std::optional<ProductTerms> product() const override { return terms_; }
  [[nodiscard]] std::optional<NormalizationTerms> normalization() const override { return std::nullopt; }
  [[nodiscard]] std::optional<Activation> activation() const override { return std::nullopt; }
  [[nodiscard]] std::optional<PoolingTerms> pooling(const Shape& /*input*/) const override {
    return std::nullopt;
  }
  [[nodiscard]] bool is_sum() const override { return false; }
  [[nodiscard]] std::optional<QuantizePlace> quantization() const override { return std::nullopt; }
  [[nodiscard]] bool rests_at_inference() const override { return false; }
  [[nodiscard]] bool has_bfloat16() const override { return true; }
  [[nodiscard]] std::unique_ptr<Layer> make_layer(const LayerParts& parts) const override {
    Parameter* const bias = terms_.bias ? &parts.parameters[1] : nullptr;
    return make_faster_convolution(terms_, parts, parts.parameters[0], bias);
  }

 private:
  int channels_;
  ProductTerms terms_;
};

}  // namespace

/// Convolution of (N, C, H, W) with square kernels: `channels` outputs, zero padding on all sides. Of
/// `groups`, each reads its own share of the channels; with as many as channels, a depthwise convolution.
OperationPtr read_convolution(OptionReader& options) {
  const int channels = options.integer("channels", 1, kMostChannels);
  const Window window = {options.integer("kernel", 1, kLargestKernel),
                         options.integer("stride", 1, kLargestStride, 1),
                         options.integer("padding", 0, kLargestKernel, 0)};
  const int groups = options.integer("groups", 1, kMostChannels, 1);
  return std::make_shared<Convolution>(channels, ProductTerms{window, options.flag("bias", true), groups});
}

}  // namespace adapt::ops
