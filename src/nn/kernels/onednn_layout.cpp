// Types and layouts of the tensors.

#include "nn/kernels/onednn.hpp"

namespace adapt::onednn {
namespace {

using dnnl::memory;

memory::dims row_major(const memory::dims& dims) {
  memory::dims strides(dims.size(), 1);
  for (std::size_t i = dims.size() - 1; i > 0; --i) {
    strides[i - 1] = strides[i] * dims[i];
  }
  return strides;
}

}  // namespace

Window window_of(const adapt::Window& window, const Shape& input, const Shape& output) {
  return {{window.stride, window.stride},
          {window.kernel, window.kernel},
          {window.padding, window.padding},
          {window.padding_behind(input.h, output.h), window.padding_behind(input.w, output.w)}};
}

memory::dims weight_dims(const WindowProduct& product) {
  memory::dims dims = {product.group_outputs(), product.group_inputs(), product.kernel, product.kernel};
  if (product.groups > 1) {
    dims.insert(dims.begin(), product.groups);
  }
  return dims;
}

memory::data_type type_of(const memory::desc& description) {
#if DNNL_VERSION_MAJOR >= 3
  return description.get_data_type();
#else
  return description.data_type();
#endif
}

memory::dims dims_of(const memory::desc& description) {
#if DNNL_VERSION_MAJOR >= 3
  return description.get_dims();
#else
  return description.dims();
#endif
}

memory::desc byte_activation(int n, int c, int h, int w) {
  return {{n, c, h, w}, memory::data_type::s8, memory::format_tag::nhwc};
}

memory::desc sum_activation(int n, int c, int h, int w) {
  return {{n, c, h, w}, memory::data_type::s32, memory::format_tag::nhwc};
}

memory::desc plain_bytes(const memory::dims& dims) { return {dims, memory::data_type::s8, row_major(dims)}; }

memory::desc any_layout_bytes(const memory::dims& dims) {
  return {dims, memory::data_type::s8, memory::format_tag::any};
}

memory::desc activation(int n, int c, int h, int w, memory::data_type type) {
  return {{n, c, h, w}, type, memory::format_tag::nhwc};
}

memory::desc plain(const memory::dims& dims, memory::data_type type) { return {dims, type, row_major(dims)}; }

memory::desc any_layout(const memory::dims& dims, memory::data_type type) {
  return {dims, type, memory::format_tag::any};
}

}  // namespace adapt::onednn
