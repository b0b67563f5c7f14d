#include "nn/operation.hpp"

namespace adapt {

std::int64_t ParameterShape::elements() const {
  std::int64_t count = 1;
  for (const std::int64_t dim : dims) {
    count *= dim;
  }
  return count;
}

ProductGeometry geometry_of(const ProductTerms& terms, const Shape& input, const Shape& output) {
  const auto flat = [](const Shape& s) { return Shape{s.n, static_cast<int>(s.elements() / s.n), 1, 1}; };
  if (!terms.window) {
    return {flat(input), flat(output)};
  }
  return {input, output, terms.window->kernel, terms.window->stride, terms.window->padding, terms.groups};
}

}  // namespace adapt
