#include "nn/kernels/float_convolution.hpp"

namespace adapt {

void FloatConvolution::set_weights(std::span<const float> weights) {
  weights_ = weights;
  forward_.has_weights = false;
  gradient_.has_weights = false;
}

void FloatConvolution::forward(const float* x, ProductSink<float>& y) {
  if (!forward_.product) {
    forward_.product = make_float_product(forward_product(geometry_));
  }
  if (!forward_.has_weights) {
    forward_.product->set_weights(weights_);
    forward_.has_weights = true;
  }
  forward_.product->run(x, y);
}

void FloatConvolution::data_gradient(const float* dy, ProductSink<float>& dx) {
  if (!gradient_.product) {
    gradient_.product = make_float_product(gradient_form_.product());
    exchanged_.resize(weights_.size());
  }
  if (!gradient_.has_weights) {
    gradient_form_.exchange<float>(weights_, exchanged_);
    gradient_.product->set_weights(exchanged_);
    gradient_.has_weights = true;
  }
  gradient_.product->run(dy, dx);
}

}  // namespace adapt
