#include "nn/kernels/byte_product.hpp"

#include "nn/kernels/depthwise.hpp"
#include "nn/kernels/im2col_product.hpp"

namespace adapt {

std::unique_ptr<ByteProduct> make_byte_product(const WindowProduct& product, bool is_unsigned) {
  if (product.is_depthwise()) {
    return std::make_unique<DepthwiseProduct>(product, is_unsigned);
  }
  if (vector::level().bytes != nullptr) {
    return std::make_unique<Im2colProduct<ByteOperands>>(product, is_unsigned);
  }
  return std::make_unique<Im2colProduct<WordOperands>>(product, is_unsigned);
}

}  // namespace adapt
