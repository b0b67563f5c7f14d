#include "nn/kernels/library_product.hpp"

#include <algorithm>
#include <string_view>

#include "nn/kernels/guarded_memory.hpp"

namespace adapt {

bool LibraryProduct::takes(const WindowProduct& product) {
  const int behind = std::min(product.padding_behind(product.source.h, product.destination.h),
                              product.padding_behind(product.source.w, product.destination.w));
  return !product.transposed && behind + product.stride > 0;
}

LibraryProduct::LibraryProduct(const WindowProduct& product)
    : sums_(static_cast<std::size_t>(product.destination.elements())) {
  const Shape& in = product.source;
  const Shape& out = product.destination;
  dims_ = onednn::weight_dims(product);
  const onednn::ProductShapes shapes = {onednn::byte_activation(in.n, in.c, in.h, in.w),
                                        onednn::any_layout_bytes(dims_),
                                        {},
                                        onednn::sum_activation(out.n, out.c, out.h, out.w)};
  const onednn::Window window = {{product.stride, product.stride},
                                 {product.kernel, product.kernel},
                                 {product.padding, product.padding},
                                 {product.padding_behind(in.h, out.h), product.padding_behind(in.w, out.w)}};
  const auto description = onednn::convolution_forward(/*training=*/false, shapes, window);
  is_reference_ = std::string_view(description.impl_info_str()).starts_with("ref");
  primitive_ = dnnl::primitive(description.get());
  weights_ = dnnl::memory(description.weights_desc(), onednn::engine());
  source_ = dnnl::memory(description.src_desc(), onednn::engine(), nullptr);
  destination_ = dnnl::memory(description.dst_desc(), onednn::engine(), nullptr);
}

void LibraryProduct::set_weights(std::span<const std::int8_t> weights) {
  auto* const plain = const_cast<std::int8_t*>(weights.data());  // oneDNN has no pointer to const
  onednn::reorder({onednn::plain_bytes(dims_), onednn::engine(), plain}, weights_);
}

onednn::Arguments LibraryProduct::arguments(const void* source, std::int32_t* sums) {
  source_.set_data_handle(const_cast<void*>(source));
  destination_.set_data_handle(sums);
  return {{DNNL_ARG_SRC, source_}, {DNNL_ARG_WEIGHTS, weights_}, {DNNL_ARG_DST, destination_}};
}

void LibraryProduct::run(const void* source, SumSink& sums) {
  onednn::run(primitive_, arguments(source, sums.room(0, sums_)));
  sums.take(0, sums_);
}

bool LibraryProduct::stays_within_bounds(const void* source, std::int32_t* sums) {
  const GuardedMemory scratchpad(onednn::scratchpad_of(primitive_));
  onednn::Arguments guarded = arguments(source, sums);
  guarded.emplace(DNNL_ARG_SCRATCHPAD, scratchpad.get());
  onednn::run(primitive_, guarded);
  return scratchpad.is_intact();
}

}  // namespace adapt
