#include "base/error.hpp"
#include "nn/layers/pooling.hpp"
#include "nn/ops/registry.hpp"

namespace adapt::ops {
namespace {

class GlobalAveragePool final : public Operation {
 public:
  [[nodiscard]] std::string_view kind() const override { return "global average pooling"; }
  [[nodiscard]] Shape output(const Shape& input) const override {
    return terms(input).window.output(input, input.c);
  }
  [[nodiscard]] std::vector<ParameterShape> parameters(const Shape& /*input*/) const override { return {}; }
  [[nodiscard]] BackwardNeeds backward() const override {
    return {.input = false, .output = false, .is_identity = false};
  }
  [[nodiscard]] bool works_in_place() const override { return false; }
  [[nodiscard]] bool keeps_grid() const override { return false; }
  [[nodiscard]] std::optional<ProductTerms> product() const override { return std::nullopt; }
  [[nodiscard]] std::optional<NormalizationTerms> normalization() const override { return std::nullopt; }
  [[nodiscard]] std::optional<Activation> activation() const override { return std::nullopt; }
  [[nodiscard]] std::optional<PoolingTerms> pooling(const Shape& input) const override {
    return terms(input);
  }
  [[nodiscard]] bool is_sum() const override { return false; }
  [[nodiscard]] std::optional<QuantizePlace> quantization() const override { return std::nullopt; }
  [[nodiscard]] bool rests_at_inference() const override { return false; }
  [[nodiscard]] bool has_bfloat16() const override { return true; }
  [[nodiscard]] std::unique_ptr<Layer> make_layer(const LayerParts& parts) const override {
    return make_pooling(terms(parts.input), parts);
  }

 private:
  static PoolingTerms terms(const Shape& input) {
    if (input.h != input.w) {
      throw BadInput(concat("takes square maps; got ", text_of(input)));
    }
    return {Pooling::average, {.kernel = input.h, .stride = input.h}};
  }
};

}  // namespace

/// The mean of each channel over the whole map (Lin et al. 2014), whatever its size.
OperationPtr read_global_average_pool(OptionReader& /*options*/) {
  return std::make_shared<GlobalAveragePool>();
}

}  // namespace adapt::ops
