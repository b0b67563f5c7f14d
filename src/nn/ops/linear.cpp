#include "nn/layers/product.hpp"
#include "nn/ops/registry.hpp"
#include "nn/ops/weight_and_bias.hpp"

namespace adapt::ops {
namespace {

class Linear final : public Operation {
 public:
  Linear(int outputs, bool bias) : outputs_(outputs), bias_(bias) {}

  [[nodiscard]] std::string_view kind() const override { return "linear"; }
  [[nodiscard]] Shape output(const Shape& input) const override { return {input.n, outputs_, 1, 1}; }
  [[nodiscard]] std::vector<ParameterShape> parameters(const Shape& input) const override {
    return weight_and_bias({outputs_, std::int64_t{input.c} * input.h * input.w}, bias_);
  }
  [[nodiscard]] BackwardNeeds backward() const override {
    return {.input = true, .output = false, .is_identity = false};
  }
  [[nodiscard]] bool works_in_place() const override { return false; }
  [[nodiscard]] bool keeps_grid() const override { return false; }
  [[nodiscard]] std::optional<ProductTerms> product() const override {
    return ProductTerms{std::nullopt, bias_};
  }
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
    return make_linear(parts, parts.parameters[0], bias_ ? &parts.parameters[1] : nullptr);
  }

 private:
  int outputs_;
  bool bias_;
};

}  // namespace

/// Fully connected layer (N, C*H*W) -> (N, outputs). Features are taken in memory order (height, width,
/// channel).
OperationPtr read_linear(OptionReader& options) {
  const int outputs = options.integer("outputs", 1, kMostChannels);
  return std::make_shared<Linear>(outputs, options.flag("bias", true));
}

}  // namespace adapt::ops
