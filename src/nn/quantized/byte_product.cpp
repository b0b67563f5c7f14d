#include "nn/quantized/byte_product.hpp"

#include "nn/quantized/depthwise.hpp"
#include "nn/quantized/lowered_product.hpp"

namespace adapt {

std::unique_ptr<ByteProduct> make_byte_product(const WindowProduct& product, bool is_unsigned) {
  if (product.is_depthwise()) {
    return std::make_unique<DepthwiseProduct>(product, is_unsigned);
  }
  return std::make_unique<LoweredProduct>(product, is_unsigned);
}

}  // namespace adapt
