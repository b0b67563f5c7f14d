#include "nn/operation.hpp"

namespace adapt {

std::int64_t ParameterShape::elements() const {
  std::int64_t count = 1;
  for (const std::int64_t dim : dims) {
    count *= dim;
  }
  return count;
}

}  // namespace adapt
