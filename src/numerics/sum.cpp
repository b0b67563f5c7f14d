#include "numerics/sum.hpp"

#include "numerics/dispatch.hpp"

namespace adapt {

double sum_squares(std::span<const float> values) {
  return vector::kernels().sum_squares(values.data(), values.size());
}

double sum_abs(std::span<const float> values) {
  return vector::kernels().sum_abs(values.data(), values.size());
}

std::int64_t count_nonzero(std::span<const float> values) {
  return vector::kernels().count_nonzero(values.data(), values.size());
}

float maximum_magnitude(std::span<const float> values) {
  return vector::kernels().maximum_magnitude(values.data(), values.size());
}

}  // namespace adapt
