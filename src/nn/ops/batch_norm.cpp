#include "nn/layers/batch_norm.hpp"

#include "nn/ops/registry.hpp"

namespace adapt::ops {
namespace {

class BatchNorm final : public Operation {
 public:
  explicit BatchNorm(const NormalizationTerms& terms) : terms_(terms) {}

  [[nodiscard]] std::string_view kind() const override { return "batch_norm"; }
  [[nodiscard]] Shape output(const Shape& input) const override { return input; }
  [[nodiscard]] std::vector<ParameterShape> parameters(const Shape& input) const override {
    return {{ParameterRole::scale, ".scale", {input.c}}, {ParameterRole::shift, ".shift", {input.c}}};
  }
  [[nodiscard]] BackwardNeeds backward() const override {
    return {.input = true, .output = false, .is_identity = false};
  }
  [[nodiscard]] bool works_in_place() const override { return false; }
  [[nodiscard]] bool keeps_grid() const override { return false; }
  [[nodiscard]] std::optional<ProductTerms> product() const override { return std::nullopt; }
  [[nodiscard]] std::optional<NormalizationTerms> normalization() const override { return terms_; }
  [[nodiscard]] std::optional<Activation> activation() const override { return std::nullopt; }
  [[nodiscard]] std::optional<PoolingTerms> pooling(const Shape& /*input*/) const override {
    return std::nullopt;
  }
  [[nodiscard]] bool is_sum() const override { return false; }
  [[nodiscard]] std::optional<QuantizePlace> quantization() const override { return std::nullopt; }
  [[nodiscard]] bool rests_at_inference() const override { return false; }
  [[nodiscard]] bool has_bfloat16() const override { return true; }
  [[nodiscard]] std::unique_ptr<Layer> make_layer(const LayerParts& parts) const override {
    return make_batch_norm(terms_, parts);
  }

 private:
  NormalizationTerms terms_;
};

}  // namespace

/// Batch normalization over (N, H, W) per channel (Ioffe and Szegedy 2015), with scale and shift.
OperationPtr read_batch_norm(OptionReader& options) {
  NormalizationTerms terms;
  terms.epsilon = options.number("epsilon", 0, 1, terms.epsilon);
  terms.momentum = options.number("momentum", 0, 1, terms.momentum);
  return std::make_shared<BatchNorm>(terms);
}

}  // namespace adapt::ops
