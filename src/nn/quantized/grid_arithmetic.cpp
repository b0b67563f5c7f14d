#include "nn/quantized/grid_arithmetic.hpp"

#include <cstdlib>

namespace adapt {

bool steps_multiply(FixedFormat a, FixedFormat b) {
  constexpr int kMostExponent = 100;
  return std::abs(a.fractional_length + b.fractional_length) <= kMostExponent;
}

GridArithmetic::GridArithmetic(const ProductGeometry& geometry, bool exact)
    : geometry_(geometry), exact_(exact && GridConvolution::fits(geometry)) {}

std::optional<GridTensor> GridArithmetic::words(const Tensor& tensor) const {
  if (!exact_ || !tensor.format) {
    return std::nullopt;
  }
  if (tensor.format->word_length > kWordBits && tensor.largest > GridProduct::kHighest) {
    return std::nullopt;
  }
  return GridTensor{tensor.numbers, *tensor.format, static_cast<std::int32_t>(tensor.largest), tensor.words};
}

bool GridArithmetic::update_words(const Parameter& weights, FixedFormat format) {
  const Held held = {weights.version, format.fractional_length};
  if (grid_convolution_ && words_held_ == held) {
    return weights_are_words_;
  }
  if (!grid_convolution_) {
    grid_convolution_.emplace(geometry_);
  }
  words_held_ = held;
  weights_are_words_ = GridConvolution::fit(weights.working, format);
  if (weights_are_words_) {
    grid_convolution_->set_weights(weights.working, format);
  }
  return weights_are_words_;
}

void GridArithmetic::update_floats() {
  if (!float_convolution_) {
    float_convolution_.emplace(geometry_);
  } else if (floats_version_ == weights_->version) {
    return;
  }
  float_convolution_->set_weights(weights_->working);
  floats_version_ = weights_->version;
}

bool GridArithmetic::forward(const Tensor& x, const Parameter& weights,
                             const std::optional<FixedFormat>& format, ProductSink<float>& y) {
  weights_ = &weights;
  weight_format_ = format;
  x_ = x;
  x_words_ = words(x);
  if (x_words_ && !(format && steps_multiply(*format, *x.format) && update_words(weights, *format))) {
    x_words_.reset();
  }
  if (x_words_) {
    grid_convolution_->forward(*x_words_, y);
  } else if (x.numbers != nullptr) {
    update_floats();
    float_convolution_->forward(x.numbers, y);
  }
  return x_words_.has_value();
}

bool GridArithmetic::is_exact(const Tensor& gradient) const {
  return x_words_ && words(gradient) && steps_multiply(*gradient.format, x_words_->format) &&
         steps_multiply(*gradient.format, *weight_format_);
}

void GridArithmetic::weight_gradient(const Tensor& gradient, float* weights, float* bias,
                                     WeightGradientScratch& scratch) {
  if (is_exact(gradient)) {
    if (!grid_weight_gradient_) {
      grid_weight_gradient_.emplace(geometry_);
    }
    grid_weight_gradient_->run(*x_words_, *words(gradient), weights, bias, scratch);
    return;
  }
  if (!float_weight_gradient_) {
    float_weight_gradient_.emplace(geometry_);
  }
  float_weight_gradient_->run(x_.numbers, gradient.numbers, weights, scratch.floats);
}

void GridArithmetic::data_gradient(const Tensor& gradient, ProductSink<float>& dx) {
  if (is_exact(gradient)) {
    grid_convolution_->data_gradient(*words(gradient), dx);
  } else {
    update_floats();
    float_convolution_->data_gradient(gradient.numbers, dx);
  }
}

}  // namespace adapt
