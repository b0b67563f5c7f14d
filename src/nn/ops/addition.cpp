#include "nn/layers/addition.hpp"

#include "nn/ops/registry.hpp"

namespace adapt::ops {
namespace {

class Addition final : public Operation {
 public:
  [[nodiscard]] std::string_view kind() const override { return "addition"; }
  [[nodiscard]] Shape output(const Shape& input) const override { return input; }
  [[nodiscard]] std::vector<ParameterShape> parameters(const Shape& /*input*/) const override { return {}; }
  [[nodiscard]] BackwardNeeds backward() const override {
    return {.input = false, .output = false, .is_identity = true};
  }
  [[nodiscard]] bool works_in_place() const override { return true; }
  [[nodiscard]] bool keeps_grid() const override { return true; }
  [[nodiscard]] std::optional<ProductTerms> product() const override { return std::nullopt; }
  [[nodiscard]] std::optional<NormalizationTerms> normalization() const override { return std::nullopt; }
  [[nodiscard]] std::optional<Activation> activation() const override { return std::nullopt; }
  [[nodiscard]] std::optional<PoolingTerms> pooling(const Shape& /*input*/) const override {
    return std::nullopt;
  }
  [[nodiscard]] bool is_sum() const override { return true; }
  [[nodiscard]] std::optional<QuantizePlace> quantization() const override { return std::nullopt; }
  [[nodiscard]] bool rests_at_inference() const override { return false; }
  [[nodiscard]] bool has_bfloat16() const override { return true; }
  [[nodiscard]] std::unique_ptr<Layer> make_layer(const LayerParts& parts) const override {
    return make_addition(parts.memory);
  }
};

}  // namespace

/// The sum of two layers (residual connection, He et al. 2016).
OperationPtr read_add(OptionReader& /*options*/) { return std::make_shared<Addition>(); }

}  // namespace adapt::ops
