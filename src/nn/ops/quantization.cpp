#include "nn/layer.hpp"
#include "nn/ops/registry.hpp"

namespace adapt::ops {
namespace {

class Quantization final : public Operation {
 public:
  explicit Quantization(QuantizePlace place) : place_(place) {}

  [[nodiscard]] std::string_view kind() const override { return "quantization"; }
  [[nodiscard]] Shape output(const Shape& input) const override { return input; }
  [[nodiscard]] std::vector<ParameterShape> parameters(const Shape& /*input*/) const override { return {}; }
  [[nodiscard]] BackwardNeeds backward() const override {
    return {// That of outputs quantizes what flows back.
            .input = false,
            .output = false,
            .is_identity = place_ != QuantizePlace::outputs};
  }
  [[nodiscard]] bool works_in_place() const override { return true; }
  [[nodiscard]] bool keeps_grid() const override { return true; }
  [[nodiscard]] std::optional<ProductTerms> product() const override { return std::nullopt; }
  [[nodiscard]] std::optional<NormalizationTerms> normalization() const override { return std::nullopt; }
  [[nodiscard]] std::optional<Activation> activation() const override { return std::nullopt; }
  [[nodiscard]] std::optional<PoolingTerms> pooling(const Shape& /*input*/) const override {
    return std::nullopt;
  }
  [[nodiscard]] bool is_sum() const override { return false; }
  [[nodiscard]] std::optional<QuantizePlace> quantization() const override { return place_; }
  [[nodiscard]] bool rests_at_inference() const override { return false; }
  [[nodiscard]] bool has_bfloat16() const override { return false; }
  [[nodiscard]] std::unique_ptr<Layer> make_layer(const LayerParts& /*parts*/) const override {
    throw Failure("a quantization is part of the layer that it is for, and is not compiled by itself");
  }

 private:
  QuantizePlace place_;
};

}  // namespace

OperationPtr quantization(QuantizePlace place) { return std::make_shared<Quantization>(place); }

}  // namespace adapt::ops
