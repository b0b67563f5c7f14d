#include "numerics/sum.hpp"

#include "base/error.hpp"
#include "numerics/dispatch.hpp"

namespace adapt {

double* PiecewiseSum::next(std::size_t size) {
  if (ended_) {
    throw Failure(concat("a sum goes on after a piece that is not a multiple of ", kLanes, " elements"));
  }
  ended_ = size % kLanes != 0;
  return lanes_.data();
}

void PiecewiseSum::add_squares(std::span<const float> values) {
  vector::kernels().sum_squares(values.data(), values.size(), next(values.size()));
}

void PiecewiseSum::add_magnitudes(std::span<const float> values) {
  vector::kernels().sum_abs(values.data(), values.size(), next(values.size()));
}

double PiecewiseSum::value() const {
  std::array<double, kLanes> lanes = lanes_;
  for (std::size_t width = kLanes / 2; width > 0; width /= 2) {
    for (std::size_t lane = 0; lane < width; ++lane) {
      lanes[lane] += lanes[lane + width];
    }
  }
  return lanes[0];
}

double sum_squares(std::span<const float> values) {
  PiecewiseSum sum;
  sum.add_squares(values);
  return sum.value();
}

double sum_abs(std::span<const float> values) {
  PiecewiseSum sum;
  sum.add_magnitudes(values);
  return sum.value();
}

std::int64_t count_nonzero(std::span<const float> values) {
  return vector::kernels().count_nonzero(values.data(), values.size());
}

float maximum_magnitude(std::span<const float> values) {
  return vector::kernels().maximum_magnitude(values.data(), values.size());
}

}  // namespace adapt
