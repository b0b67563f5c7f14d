#include "nn/kernels/grid_product.hpp"

#include "nn/kernels/depthwise.hpp"
#include "nn/kernels/word_product.hpp"

namespace adapt {

std::unique_ptr<GridProduct> make_grid_product(const WindowProduct& product) {
  if (product.is_depthwise()) {
    return std::make_unique<DepthwiseGridProduct>(product);
  }
  return std::make_unique<WordProduct>(product);
}

}  // namespace adapt
