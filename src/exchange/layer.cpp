// "layer": the paper's quantized gradients. Each shard's gradient is rounded stochastically to the layer's
// own format ⟨WL, FL⟩, and the integers are summed. A tensor without a format goes as "exact" does.

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>

#include "exchange/encoding.hpp"
#include "exchange/layout.hpp"
#include "numerics/quantize.hpp"

namespace adapt {
namespace {

constexpr int kExactFractionalLength = 40;

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
      : tensors_(tensors), shards_(shards), formats_(tensors.size()), starts_(tensors.size()) {}

  void begin(const ExchangeStep& step) override {
    step_ = step;
    std::size_t narrow = 0;
    std::size_t wide = 0;
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
      formats_[i] = format_of(tensors_[i], *step.plan);
      std::size_t& end = is_narrow(i) ? narrow : wide;
      starts_[i] = end;
      end += tensors_[i].size;
    }
    narrow_.assign(narrow, 0);
    wide_.assign(wide, 0);
  }

  void add(std::size_t index, std::uint32_t shard, std::span<const float> gradient) override {
    const auto& format = formats_[index];
    const RandomKey key = {step_.seed, Stream::gradients, static_cast<std::uint32_t>(index), step_.step,
                           shard};
    QuantizeResult result;
    if (!format) {
      result = add_exact(gradient, part(std::span(wide_), index), kExactFractionalLength, shards_);
    } else if (is_narrow(index)) {
      result = quantize_add(gradient, part(std::span(narrow_), index), *format, Rounding::stochastic, key);
    } else {
      result = quantize_add(gradient, part(std::span(wide_), index), *format, Rounding::stochastic, key);
    }
    if (!result.finite) {
      refuse_gradient(tensors_[index], step_.step, shard);
    }
  }

  void reduce(const mpi::Communicator& ranks) override {
    if (!narrow_.empty()) {
      ranks.sum(std::span(narrow_));
    }
    if (!wide_.empty()) {
      ranks.sum(std::span(wide_));
    }
  }

  void mean(std::size_t index, std::span<float> gradient) const override {
    const int fractional_length =
        formats_[index] ? formats_[index]->fractional_length : kExactFractionalLength;
    const double scale = std::ldexp(1.0, -fractional_length) / shards_;
    if (is_narrow(index)) {
      dequantize(part(std::span(narrow_), index), gradient, scale);
    } else {
      dequantize(part(std::span(wide_), index), gradient, scale);
    }
  }

  [[nodiscard]] std::int64_t bytes() const override {
    return static_cast<std::int64_t>(narrow_.size() * sizeof(std::int32_t) +
                                     wide_.size() * sizeof(std::int64_t));
  }

 private:
  [[nodiscard]] bool is_narrow(std::size_t index) const {
    return formats_[index] && sum_bits(formats_[index]->word_length, shards_) <= 32;
  }

  template <class T>
  [[nodiscard]] std::span<T> part(std::span<T> buffer, std::size_t index) const {
    return buffer.subspan(starts_[index], tensors_[index].size);
  }

  std::vector<ExchangeTensor> tensors_;
  int shards_;
  ExchangeStep step_;
  std::vector<std::optional<FixedFormat>> formats_;  // of this step, by tensor
  std::vector<std::size_t> starts_;                  // within narrow_ or wide_
  AlignedVector<std::int32_t> narrow_;
  AlignedVector<std::int64_t> wide_;
};

}  // namespace

std::unique_ptr<GradientEncoding> make_layer_encoding(const std::vector<ExchangeTensor>& tensors,
                                                      int shards) {
  return std::make_unique<LayerEncoding>(tensors, shards);
}

}  // namespace adapt
