#include "nn/layers/activation.hpp"

#include "nn/ops/registry.hpp"

namespace adapt::ops {
namespace {

class ActivationOperation final : public Operation {
 public:
  explicit ActivationOperation(Activation kind) : kind_(kind) {}

  [[nodiscard]] std::string_view kind() const override { return "activation"; }
  [[nodiscard]] Shape output(const Shape& input) const override { return input; }
  [[nodiscard]] std::vector<ParameterShape> parameters(const Shape& /*input*/) const override { return {}; }
  [[nodiscard]] BackwardNeeds backward() const override {
    return {.input = false, .output = true, .is_identity = false};
  }
  [[nodiscard]] bool works_in_place() const override { return true; }
  [[nodiscard]] bool keeps_grid() const override { return kind_ == Activation::relu; }
  [[nodiscard]] std::optional<ProductTerms> product() const override { return std::nullopt; }
  [[nodiscard]] std::optional<NormalizationTerms> normalization() const override { return std::nullopt; }
  [[nodiscard]] std::optional<Activation> activation() const override { return kind_; }
  [[nodiscard]] std::optional<PoolingTerms> pooling(const Shape& /*input*/) const override {
    return std::nullopt;
  }
  [[nodiscard]] bool is_sum() const override { return false; }
  [[nodiscard]] std::optional<QuantizePlace> quantization() const override { return std::nullopt; }
  [[nodiscard]] bool rests_at_inference() const override { return false; }
  [[nodiscard]] bool has_bfloat16() const override { return true; }
  [[nodiscard]] std::unique_ptr<Layer> make_layer(const LayerParts& parts) const override {
    return make_activation(kind_, parts);
  }

 private:
  Activation kind_;
};

}  // namespace

OperationPtr read_relu(OptionReader& /*options*/) {
  return std::make_shared<ActivationOperation>(Activation::relu);
}

OperationPtr read_tanh(OptionReader& /*options*/) {
  return std::make_shared<ActivationOperation>(Activation::tanh);
}

}  // namespace adapt::ops
