#include "nn/quantized/integer_convolution.hpp"

#include <algorithm>

#include "nn/onednn.hpp"
#include "numerics/quantize.hpp"

namespace adapt {
namespace {

dnnl::memory::desc bytes_of(const Shape& s) { return onednn::byte_activation(s.n, s.c, s.h, s.w); }
dnnl::memory::desc sums_of(const Shape& s) { return onednn::sum_activation(s.n, s.c, s.h, s.w); }

onednn::Window window(int stride, int kernel, int before, int behind_height, int behind_width) {
  return {{stride, stride}, {kernel, kernel}, {before, before}, {behind_height, behind_width}};
}

dnnl::memory::dims weight_dims(int out, int in, int kernel) { return {out, in, kernel, kernel}; }

}  // namespace

IntegerConvolution::IntegerConvolution(const ProductGeometry& geometry, bool data_gradient)
    : geometry_(geometry),
      has_gradient_(data_gradient),
      turned_(geometry.stride == 1 && geometry.padding < geometry.kernel &&
              padding_behind(geometry.input.h, geometry.output.h) < geometry.kernel &&
              padding_behind(geometry.input.w, geometry.output.w) < geometry.kernel),
      plain_(
          static_cast<std::size_t>(geometry.output.c * geometry.input.c * geometry.kernel * geometry.kernel)),
      forward_(make_forward()) {
  if (has_gradient_) {
    exchanged_.resize(plain_.size());
    gradient_ = turned_ ? make_turned() : make_transposed();
  }
}

int IntegerConvolution::padding_behind(int size, int places) const {
  return (places - 1) * geometry_.stride + geometry_.kernel - size - geometry_.padding;
}

template <class Description>
IntegerConvolution::Product IntegerConvolution::make_product(const Description& description) {
  return {dnnl::primitive(description.get()), dnnl::memory(description.weights_desc(), onednn::engine()),
          dnnl::memory(description.src_desc(), onednn::engine(), nullptr),
          dnnl::memory(description.dst_desc(), onednn::engine(), nullptr)};
}

IntegerConvolution::Product IntegerConvolution::make_forward() const {
  const auto& [in, out, kernel, stride, padding] = geometry_;
  const onednn::ProductShapes shapes = {
      bytes_of(in), onednn::any_layout_bytes(weight_dims(out.c, in.c, kernel)), {}, sums_of(out)};
  return make_product(onednn::convolution_forward(
      /*training=*/false, shapes,
      window(stride, kernel, padding, padding_behind(in.h, out.h), padding_behind(in.w, out.w))));
}

IntegerConvolution::Product IntegerConvolution::make_turned() const {
  const auto& [in, out, kernel, stride, padding] = geometry_;
  const onednn::ProductShapes shapes = {
      bytes_of(out), onednn::any_layout_bytes(weight_dims(in.c, out.c, kernel)), {}, sums_of(in)};
  const int whole = kernel - 1;
  return make_product(onednn::convolution_forward(
      /*training=*/false, shapes,
      window(1, kernel, whole - padding, whole - padding_behind(in.h, out.h),
             whole - padding_behind(in.w, out.w))));
}

IntegerConvolution::Product IntegerConvolution::make_transposed() const {
  const auto& [in, out, kernel, stride, padding] = geometry_;
  const onednn::ProductShapes shapes = {
      bytes_of(out), onednn::any_layout_bytes(weight_dims(in.c, out.c, kernel)), {}, sums_of(in)};
  return make_product(onednn::deconvolution_forward(
      shapes, window(stride, kernel, padding, padding_behind(in.h, out.h), padding_behind(in.w, out.w))));
}

void IntegerConvolution::set_weights(std::span<const float> values, FixedFormat format) {
  const auto& [in, out, kernel, stride, padding] = geometry_;
  quantize_to_bytes(values, plain_, format, Rounding::nearest, {});  // on the grid: nothing is rounded
  onednn::reorder({onednn::plain_bytes(weight_dims(out.c, in.c, kernel)), onednn::engine(), plain_.data()},
                  forward_.weights);
  if (!has_gradient_) {
    return;
  }
  exchange_channels();
  onednn::reorder(
      {onednn::plain_bytes(weight_dims(in.c, out.c, kernel)), onednn::engine(), exchanged_.data()},
      gradient_.weights);
}

void IntegerConvolution::exchange_channels() {
  // Kernels of a known area are copied without a loop.
  switch (geometry_.kernel) {
    case 1:
      return exchange_channels_of<1>();
    case 3:
      return exchange_channels_of<9>();
    case 5:
      return exchange_channels_of<25>();
    default:
      return exchange_channels_of<0>();
  }
}

template <std::size_t kArea>
void IntegerConvolution::exchange_channels_of() {
  const std::size_t area = kArea > 0 ? kArea : static_cast<std::size_t>(geometry_.kernel * geometry_.kernel);
  const auto inputs = static_cast<std::size_t>(geometry_.input.c);
  const auto outputs = static_cast<std::size_t>(geometry_.output.c);
  std::int8_t* to = exchanged_.data();
  for (std::size_t i = 0; i < inputs; ++i) {
    for (std::size_t o = 0; o < outputs; ++o, to += area) {
      const std::int8_t* const from = plain_.data() + (o * inputs + i) * area;
      if (turned_) {
        std::reverse_copy(from, from + area, to);
      } else {
        std::copy(from, from + area, to);
      }
    }
  }
}

void IntegerConvolution::run(Product& product, const std::int8_t* from, std::int32_t* to) {
  product.source.set_data_handle(const_cast<std::int8_t*>(from));  // oneDNN has no pointer to const
  product.destination.set_data_handle(to);
  onednn::run(product.primitive, {{DNNL_ARG_SRC, product.source},
                                  {DNNL_ARG_WEIGHTS, product.weights},
                                  {DNNL_ARG_DST, product.destination}});
}

void IntegerConvolution::forward(const std::int8_t* x, std::int32_t* sums) { run(forward_, x, sums); }

void IntegerConvolution::data_gradient(const std::int8_t* dy, std::int32_t* sums) {
  run(gradient_, dy, sums);
}

}  // namespace adapt
