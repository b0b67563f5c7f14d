// "layer": the paper's quantized gradients. Each shard's gradient is rounded stochastically to the layer's
// own format ⟨WL, FL⟩, and the integers are summed. A tensor without a format goes as "exact" does.

#include "exchange/gradient_formats.hpp"
#include "exchange/integer_encoding.hpp"

namespace adapt {
namespace {

class PlanFormats : public FormatSource {
 public:
  explicit PlanFormats(const std::vector<ExchangeTensor>& tensors) : tensors_(tensors) {}

  GradientFormats begin(const ExchangeStep& step) override {
    GradientFormats formats;
    for (const ExchangeTensor& tensor : tensors_) {
      const bool has_format = tensor.layer >= 0 && (tensor.is_weight || !step.plan->per_tensor);
      formats.push_back(has_format ? step.plan->layers.at(static_cast<std::size_t>(tensor.layer)).gradients
                                   : std::nullopt);
    }
    return formats;
  }

 private:
  std::vector<ExchangeTensor> tensors_;
};

}  // namespace

std::unique_ptr<GradientEncoding> make_layer_encoding(const std::vector<ExchangeTensor>& tensors, int shards,
                                                      const EncodingOptions& options) {
  return std::make_unique<IntegerEncoding>(tensors, shards, std::make_unique<PlanFormats>(tensors), options);
}

}  // namespace adapt
