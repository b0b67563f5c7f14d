#include "nn/layers/pooling.hpp"

#include "nn/ops/registry.hpp"

namespace adapt::ops {
namespace {

class PoolingOperation final : public Operation {
 public:
  explicit PoolingOperation(const PoolingTerms& terms) : terms_(terms) {}

  [[nodiscard]] std::string_view kind() const override { return "pooling"; }
  [[nodiscard]] Shape output(const Shape& input) const override {
    return terms_.window.output(input, input.c);
  }
  [[nodiscard]] std::vector<ParameterShape> parameters(const Shape& /*input*/) const override { return {}; }
  [[nodiscard]] BackwardNeeds backward() const override {
    return {.input = false, .output = false, .is_identity = false};
  }
  [[nodiscard]] bool works_in_place() const override { return false; }
  [[nodiscard]] bool keeps_grid() const override { return terms_.kind == Pooling::maximum; }
  [[nodiscard]] std::optional<ProductTerms> product() const override { return std::nullopt; }
  [[nodiscard]] std::optional<NormalizationTerms> normalization() const override { return std::nullopt; }
  [[nodiscard]] std::optional<Activation> activation() const override { return std::nullopt; }
  [[nodiscard]] std::optional<PoolingTerms> pooling(const Shape& /*input*/) const override { return terms_; }
  [[nodiscard]] bool is_sum() const override { return false; }
  [[nodiscard]] std::optional<QuantizePlace> quantization() const override { return std::nullopt; }
  [[nodiscard]] bool rests_at_inference() const override { return false; }
  [[nodiscard]] bool has_bfloat16() const override { return true; }
  [[nodiscard]] std::unique_ptr<Layer> make_layer(const LayerParts& parts) const override {
    return make_pooling(terms_, parts);
  }

 private:
  PoolingTerms terms_;
};

OperationPtr read(OptionReader& options, Pooling kind) {
  const int kernel = options.integer("kernel", 1, kLargestKernel);
  const int stride = options.integer("stride", 1, kLargestStride, kernel);
  return std::make_shared<PoolingOperation>(PoolingTerms{kind, {.kernel = kernel, .stride = stride}});
}

}  // namespace

// Over square windows without padding; what fills no whole window at the border is left out.

OperationPtr read_max_pool(OptionReader& options) { return read(options, Pooling::maximum); }

OperationPtr read_average_pool(OptionReader& options) { return read(options, Pooling::average); }

}  // namespace adapt::ops
