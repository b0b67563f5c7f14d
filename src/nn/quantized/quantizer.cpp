#include "nn/quantized/quantizer.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.hpp"
#include "nn/not_finite.hpp"
#include "numerics/sum.hpp"

namespace adapt {
namespace {

constexpr std::size_t kBlock = 8;  // elements of one random block

struct Place {
  std::optional<FixedFormat> LayerFormats::*format;
  std::optional<float> LayerMaxima::*maximum;
  LossCounter LayerLossCounters::*loss;
  Stream stream;
};

/// By Quantizer::Tensor.
constexpr std::array kPlaces = {
    Place{&LayerFormats::inputs, &LayerMaxima::inputs, &LayerLossCounters::inputs, Stream::inputs},
    Place{&LayerFormats::outputs, &LayerMaxima::outputs, &LayerLossCounters::outputs, Stream::outputs},
    Place{&LayerFormats::operands, &LayerMaxima::operands, &LayerLossCounters::operands, Stream::operands},
    Place{&LayerFormats::activation_gradients, &LayerMaxima::activation_gradients,
          &LayerLossCounters::activation_gradients, Stream::activation_gradients},
};

const Place& place_of(Quantizer::Tensor tensor) { return kPlaces.at(static_cast<std::size_t>(tensor)); }

/// The larger magnitude; NaN is the largest of all.
float larger(float a, float b) { return std::isnan(a) || a > b ? a : b; }

}  // namespace

Quantizer::Quantizer(std::string name, Tensor tensor, int layer)
    : name_(std::move(name)), tensor_(tensor), layer_(static_cast<std::size_t>(layer)) {}

std::optional<FixedFormat> Quantizer::format(const Pass& pass) const {
  return pass.plan == nullptr ? std::nullopt : pass.plan->layers.at(layer_).*place_of(tensor_).format;
}

bool Quantizer::fits(const Pass& pass, int bits) const {
  const auto chosen = format(pass);
  return chosen && chosen->word_length <= bits;
}

void Quantizer::begin(const Pass& pass) {
  const Place& place = place_of(tensor_);
  format_ = format(pass);
  rounding_ = tensor_ == Tensor::activation_gradients ? Rounding::stochastic : pass.rounding;
  key_ = {pass.seed, place.stream, static_cast<std::uint32_t>(layer_), pass.step, pass.shard};
  observed_ = pass.maxima != nullptr && (pass.maxima->at(layer_).*place.maximum).has_value();
  result_ = {};
  loss_ = format_ ? loss_of(pass) : nullptr;
  if (loss_ != nullptr) {
    loss_->begin(*format_, rounding_);
  }
}

LossCounter* Quantizer::loss_of(const Pass& pass) const {
  return pass.losses == nullptr ? nullptr : &(pass.losses->at(layer_).*place_of(tensor_).loss);
}

void Quantizer::to_grid(std::size_t first, std::span<const float> from, std::span<float> to) {
  if (format_) {
    if (loss_ != nullptr) {  // `to` may be `from`
      loss_->add_before(first, from.size(), {.floats = from.data()});
    }
    take(quantize(from, to, *format_, rounding_, key_, static_cast<std::uint32_t>(first / kBlock)));
    if (loss_ != nullptr) {
      loss_->add_after(first, to.size(), {.floats = to.data()});
    }
    return;
  }
  if (from.data() != to.data()) {
    std::copy(from.begin(), from.end(), to.begin());
  }
  if (observed_) {
    take({.largest = maximum_magnitude(from)});
  }
}

void Quantizer::to_bytes(std::size_t first, const vector::Numbers& from, std::span<std::int8_t> to) {
  take(quantize_to_bytes(from, to, *format_, rounding_, key_, static_cast<std::uint32_t>(first / kBlock)));
  if (loss_ != nullptr) {
    loss_->add_before(first, to.size(), from);
    loss_->add_after(first, to.size(), {.bytes = to.data(), .step = format_->step()});
  }
}

void Quantizer::to_words(std::size_t first, std::span<const float> from, std::span<std::int16_t> to) {
  take(quantize_to_words(from, to, *format_, rounding_, key_, static_cast<std::uint32_t>(first / kBlock)));
  if (loss_ != nullptr) {
    loss_->add_before(first, to.size(), {.floats = from.data()});
    const std::vector<std::int32_t> integers(to.begin(), to.end());
    loss_->add_after(first, to.size(), {.sums = integers.data(), .step = format_->step()});
  }
}

void Quantizer::take(const QuantizeResult& result) {
  result_.finite = result_.finite && result.finite;
  result_.largest = larger(result.largest, result_.largest);
}

double Quantizer::largest_integer() const {
  return std::min(std::ceil(std::ldexp(double{result_.largest}, format_->fractional_length)),
                  -static_cast<double>(format_->lowest()));
}

void Quantizer::end(Pass& pass) {
  if (!result_.finite) {
    throw NotFinite(pass, concat("'", name_, "'"));
  }
  if (observed_) {
    raise(pass.maxima->at(layer_).*place_of(tensor_).maximum, result_.largest);
  }
}

}  // namespace adapt
