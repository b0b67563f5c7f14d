#include "nn/kernels/grid_convolution.hpp"

#include "numerics/dispatch.hpp"

namespace adapt {

bool GridConvolution::fits(const ProductGeometry& layer) {
  const ProductGeometry geometry = FlatWindow(layer).geometry();
  const std::int64_t pixels = geometry.output.elements() / geometry.output.c;
  return GridProduct::fits(forward_product(geometry)) &&
         GridProduct::fits(ExactDataGradient(geometry).product()) && pixels < GridProduct::kMostTerms;
}

bool GridConvolution::fit(std::span<const float> numbers, FixedFormat format) {
  float lowest = 0;
  float highest = 0;
  vector::kernels().extremes(numbers.data(), numbers.size(), &lowest, &highest);  // NaN where there is one
  return lowest * format.scale() >= GridProduct::kLowest && highest * format.scale() <= GridProduct::kHighest;
}

GridConvolution::GridConvolution(const ProductGeometry& geometry)
    : window_(geometry),
      plain_(static_cast<std::size_t>(geometry.output.c * geometry.group_inputs() * geometry.kernel *
                                      geometry.kernel)),
      gradient_form_(window_.geometry()),
      forward_(make_grid_product(forward_product(window_.geometry()))) {}

void GridConvolution::set_weights(std::span<const float> values, FixedFormat format) {
  vector::kernels().words_of(values.data(), plain_.data(), plain_.size(), format.scale(), vector::kWholeWord);
  window_.flatten<std::int16_t>(plain_);
  step_ = format.step();
  forward_->set_weights(plain_, step_);
  gradient_has_weights_ = false;
}

void GridConvolution::forward(const GridTensor& x, ProductSink<float>& y) { forward_->run(x, y); }

void GridConvolution::data_gradient(const GridTensor& dy, ProductSink<float>& dx) {
  if (!gradient_) {
    gradient_ = make_grid_product(gradient_form_.product());
    exchanged_.resize(gradient_form_.weights());
  }
  if (!gradient_has_weights_) {
    gradient_form_.exchange<std::int16_t>(plain_, exchanged_);
    gradient_->set_weights(exchanged_, step_);
    gradient_has_weights_ = true;
  }
  gradient_form_.run(dx, gradient_piece_, [&](ProductSink<float>& sink) { gradient_->run(dy, sink); });
}

}  // namespace adapt
