#include "nn/kernels/byte_product.hpp"

#include <algorithm>

#include "nn/kernels/depthwise.hpp"
#include "nn/kernels/im2col_product.hpp"

namespace adapt {

std::vector<std::size_t> row_widths(const WindowProduct& product) {
  const auto width = static_cast<std::size_t>(product.destination.w);
  const auto kernel = static_cast<std::size_t>(product.kernel);
  const auto step = static_cast<std::size_t>(product.stride);
  const auto terms = [&](std::size_t windows) {
    return static_cast<double>(kernel + (windows - 1) * step) / static_cast<double>(windows);
  };
  std::vector<std::size_t> widths = {1};
  const std::size_t most =
      product.groups == 1 ? vector::kProductTile / static_cast<std::size_t>(product.destination.c) : 1;
  for (std::size_t windows = 2; windows <= std::min(most, width); ++windows) {
    if (width % windows == 0 && terms(windows) < terms(1)) {
      widths.push_back(windows);
    }
  }
  std::ranges::sort(widths, {}, terms);
  return widths;
}

std::unique_ptr<ByteProduct> make_byte_product(const WindowProduct& product, bool is_unsigned,
                                               std::size_t row_width) {
  if (product.is_depthwise()) {
    return std::make_unique<DepthwiseProduct>(product, is_unsigned);
  }
  if (vector::level().bytes != nullptr) {
    return std::make_unique<Im2colProduct<ByteOperands>>(product, is_unsigned, row_width);
  }
  return std::make_unique<Im2colProduct<WordOperands>>(product, is_unsigned, row_width);
}

std::unique_ptr<ByteProduct> make_byte_product(const WindowProduct& product, bool is_unsigned) {
  return make_byte_product(product, is_unsigned, row_widths(product).front());
}

}  // namespace adapt
