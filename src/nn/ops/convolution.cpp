#include "nn/layers/covering_convolution.hpp"
#include "nn/layers/product.hpp"
#include "nn/ops/registry.hpp"
#include "nn/ops/weight_and_bias.hpp"

namespace adapt::ops {
namespace {

class Convolution final : public Operation {
 public:
  explicit Convolution(const ConvolutionOptions& options)
      : options_(options), window_{options.kernel, options.stride, options.padding} {}

  [[nodiscard]] std::string_view kind() const override { return "convolution"; }
  [[nodiscard]] Shape output(const Shape& input) const override {
    return window_.output(input, options_.channels);
  }
  [[nodiscard]] std::vector<ParameterShape> parameters(const Shape& input) const override {
    return weight_and_bias({options_.channels, input.c, options_.kernel, options_.kernel}, options_.bias);
  }
  [[nodiscard]] BackwardNeeds backward() const override {
    return {.input = true, .output = false, .is_identity = false};
  }
  [[nodiscard]] bool works_in_place() const override { return false; }
  [[nodiscard]] bool keeps_grid() const override { return false; }
  [[nodiscard]] std::optional<ProductTerms> product() const override {
    return ProductTerms{window_, options_.bias};
  }
  [[nodiscard]] std::optional<NormalizationTerms> normalization() const override { return std::nullopt; }
  [[nodiscard]] std::optional<Activation> activation() const override { return std::nullopt; }
  [[nodiscard]] std::optional<PoolingTerms> pooling() const override { return std::nullopt; }
  [[nodiscard]] bool is_sum() const override { return false; }
  [[nodiscard]] std::optional<QuantizePlace> quantization() const override { return std::nullopt; }
  [[nodiscard]] std::unique_ptr<Layer> make_layer(const LayerParts& parts) const override {
    Parameter* const bias = options_.bias ? &parts.parameters[1] : nullptr;
    return is_covering(window_, parts.input, parts.output)
               ? make_covering_convolution(window_, parts, parts.parameters[0], bias)
               : make_convolution(window_, parts, parts.parameters[0], bias);
  }

 private:
  ConvolutionOptions options_;
  Window window_;
};

}  // namespace

OperationPtr convolution(const ConvolutionOptions& options) { return std::make_shared<Convolution>(options); }

}  // namespace adapt::ops
