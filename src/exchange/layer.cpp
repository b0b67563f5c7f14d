// "layer": the paper's quantized gradients. Each shard's gradient is rounded stochastically to the layer's
// own format ⟨WL, FL⟩, and the integers are summed. A tensor without a format goes as "exact" does.

#include <bit>
#include <cmath>
#include <optional>

#include "exchange/encoding.hpp"
#include "exchange/tensor_sums.hpp"
#include "numerics/quantize.hpp"

namespace adapt {
namespace {

/// Bits that a sum of `shards` numbers of `word_length` bits needs: |q| <= 2^(WL-1), so |sum| <= shards ·
/// 2^(WL-1) <= 2^(WL-1 + ceil(log2 shards)), reached at the negative end only where shards is a power of two,
/// which two's complement still holds.
int sum_bits(int word_length, int shards) {
  return word_length + static_cast<int>(std::bit_width(static_cast<unsigned>(shards - 1)));
}

std::optional<FixedFormat> format_of(const ExchangeTensor& tensor, const PrecisionPlan& plan) {
  if (tensor.layer < 0 || (plan.per_tensor && !tensor.is_weight)) {
    return std::nullopt;
  }
  return plan.layers.at(static_cast<std::size_t>(tensor.layer)).gradients;
}

class LayerEncoding : public GradientEncoding {
 public:
  LayerEncoding(const std::vector<ExchangeTensor>& tensors, int shards)
      : tensors_(tensors), shards_(shards), formats_(tensors.size()) {}

  void begin(const ExchangeStep& step) override {
    step_ = step;
    narrow_.clear();
    wide_.clear();
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
      formats_[i] = format_of(tensors_[i], *step.plan);
      narrow_.append(is_narrow(i) ? tensors_[i].size : 0);
      wide_.append(is_narrow(i) ? 0 : tensors_[i].size);
    }
  }

  void add(std::size_t index, std::uint32_t shard, std::span<const float> gradient) override {
    const auto& format = formats_[index];
    const RandomKey key = {step_.seed, Stream::gradients, static_cast<std::uint32_t>(index), step_.step,
                           shard};
    QuantizeResult result;
    if (!format) {
      result = add_exact(gradient, wide_[index], kExactFractionalLength, shards_);
    } else if (is_narrow(index)) {
      result = quantize_add(gradient, narrow_[index], *format, Rounding::stochastic, key);
    } else {
      result = quantize_add(gradient, wide_[index], *format, Rounding::stochastic, key);
    }
    if (!result.finite) {
      refuse_gradient(tensors_[index], step_.step, shard);
    }
  }

  void reduce(const mpi::Communicator& ranks) override {
    narrow_.reduce(ranks);
    wide_.reduce(ranks);
  }

  void mean(std::size_t index, std::span<float> gradient) const override {
    const int fractional_length =
        formats_[index] ? formats_[index]->fractional_length : kExactFractionalLength;
    const double scale = std::ldexp(1.0, -fractional_length) / shards_;
    if (is_narrow(index)) {
      dequantize(narrow_[index], gradient, scale);
    } else {
      dequantize(wide_[index], gradient, scale);
    }
  }

  [[nodiscard]] std::int64_t bytes() const override { return narrow_.bytes() + wide_.bytes(); }

 private:
  [[nodiscard]] bool is_narrow(std::size_t index) const {
    return formats_[index] && sum_bits(formats_[index]->word_length, shards_) <= 32;
  }

  std::vector<ExchangeTensor> tensors_;
  int shards_;
  ExchangeStep step_;
  std::vector<std::optional<FixedFormat>> formats_;  // of this step, by tensor
  // A tensor stands in one of the two; the other holds none of its elements.
  TensorSums<std::int32_t> narrow_;
  TensorSums<std::int64_t> wide_;
};

}  // namespace

std::unique_ptr<GradientEncoding> make_layer_encoding(const std::vector<ExchangeTensor>& tensors,
                                                      int shards) {
  return std::make_unique<LayerEncoding>(tensors, shards);
}

}  // namespace adapt
