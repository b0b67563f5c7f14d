#include "nn/kernels/float_product.hpp"

#include "nn/kernels/depthwise.hpp"
#include "nn/kernels/window_float_product.hpp"

namespace adapt {

std::unique_ptr<FloatProduct> make_float_product(const WindowProduct& product) {
  if (product.is_depthwise()) {
    return std::make_unique<DepthwiseFloatProduct>(product);
  }
  return std::make_unique<WindowFloatProduct>(product);
}

}  // namespace adapt
