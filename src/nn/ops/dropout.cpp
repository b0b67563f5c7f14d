#include <cmath>
#include <cstring>

#include "nn/kernels/bfloat16.hpp"
#include "nn/kernels/onednn.hpp"
#include "nn/layer.hpp"
#include "nn/ops/registry.hpp"
#include "numerics/random.hpp"

namespace adapt::ops {
namespace {

float number_of(float value) { return value; }
float number_of(std::uint16_t value) { return from_bfloat16(value); }
void store(float number, float& value) { value = number; }
void store(float number, std::uint16_t& value) { value = to_bfloat16(number); }

/// In training each number becomes 0 with the probability `rate`, else 1 / (1 - rate) times as large. Which
/// ones do is a function of (seed, step, shard, layer, index), so it depends neither on ranks nor on threads,
/// and backward needs no memory of it.
class DropoutLayer final : public Layer {
 public:
  DropoutLayer(double rate, const LayerParts& parts)
      : memory_(parts.memory),
        threshold_(static_cast<std::uint32_t>(std::lround(rate * 65536))),
        factor_(static_cast<float>(65536.0 / (65536.0 - threshold_))),
        elements_(static_cast<std::size_t>(parts.output.elements())),
        layer_(static_cast<std::uint32_t>(parts.node)),
        training_(parts.training) {}

  void forward(Pass& pass) override { apply(pass, memory_.sources.front(), memory_.destination); }
  void backward(Pass& pass) override {
    if (memory_.source_gradients.front()) {
      apply(pass, memory_.destination_gradient, memory_.source_gradients.front());
    }
  }

 private:
  void apply(const Pass& pass, const dnnl::memory& from, const dnnl::memory& to) const {
    const dnnl::memory::data_type type = onednn::type_of(to.get_desc());
    if (!training_) {
      const std::size_t bytes = elements_ * dnnl::memory::data_type_size(type);
      std::memmove(to.get_data_handle(), from.get_data_handle(), bytes);
    } else if (type == dnnl::memory::data_type::f32) {
      drop(pass, static_cast<const float*>(from.get_data_handle()),
           static_cast<float*>(to.get_data_handle()));
    } else {
      drop(pass, static_cast<const std::uint16_t*>(from.get_data_handle()),
           static_cast<std::uint16_t*>(to.get_data_handle()));
    }
  }

  template <class Number>
  void drop(const Pass& pass, const Number* from, Number* to) const {
    constexpr std::size_t kBlock = 8;  // halves of the words of a random block
    const RandomKey key = {.seed = pass.seed,
                           .stream = Stream::dropout,
                           .tensor = layer_,
                           .step = pass.step,
                           .shard = pass.shard};
    for (std::size_t first = 0; first < elements_; first += kBlock) {
      const auto words = random_block(key, static_cast<std::uint32_t>(first / kBlock));
      for (std::size_t i = 0; i < std::min(kBlock, elements_ - first); ++i) {
        const std::uint32_t bits = words[i / 2] >> (i % 2 * 16) & 0xFFFFU;
        store(bits < threshold_ ? 0.0F : factor_ * number_of(from[first + i]), to[first + i]);
      }
    }
  }

  LayerMemory memory_;
  std::uint32_t threshold_;  // of 2^16
  float factor_;
  std::size_t elements_;
  std::uint32_t layer_;
  bool training_;
};

class Dropout final : public Operation {
 public:
  explicit Dropout(double rate) : rate_(rate) {}

  [[nodiscard]] std::string_view kind() const override { return "dropout"; }
  [[nodiscard]] Shape output(const Shape& input) const override { return input; }
  [[nodiscard]] std::vector<ParameterShape> parameters(const Shape& /*input*/) const override { return {}; }
  [[nodiscard]] BackwardNeeds backward() const override {
    return {.input = false, .output = false, .is_identity = false};
  }
  [[nodiscard]] bool works_in_place() const override { return true; }
  [[nodiscard]] bool keeps_grid() const override { return false; }
  [[nodiscard]] std::optional<ProductTerms> product() const override { return std::nullopt; }
  [[nodiscard]] std::optional<NormalizationTerms> normalization() const override { return std::nullopt; }
  [[nodiscard]] std::optional<Activation> activation() const override { return std::nullopt; }
  [[nodiscard]] std::optional<PoolingTerms> pooling(const Shape& /*input*/) const override {
    return std::nullopt;
  }
  [[nodiscard]] bool is_sum() const override { return false; }
  [[nodiscard]] std::optional<QuantizePlace> quantization() const override { return std::nullopt; }
  [[nodiscard]] bool rests_at_inference() const override { return true; }
  [[nodiscard]] bool has_bfloat16() const override { return true; }
  [[nodiscard]] std::unique_ptr<Layer> make_layer(const LayerParts& parts) const override {
    return std::make_unique<DropoutLayer>(rate_, parts);
  }

 private:
  double rate_;
};

}  // namespace

/// Dropout (Srivastava et al. 2014) with the probability `rate`, a multiple of 2^-16, of a number to be left
/// out.
OperationPtr read_dropout(OptionReader& options) {
  return std::make_shared<Dropout>(options.number("rate", 0, 0.99, 0.5));
}

}  // namespace adapt::ops
