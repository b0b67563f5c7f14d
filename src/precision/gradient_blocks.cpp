#include "precision/gradient_blocks.hpp"

#include <algorithm>

#include "numerics/sum.hpp"

namespace adapt {

void GradientBlocks::add(const StepObservation& observation) {
  if (full()) {
    kept_.erase(kept_.begin());
  }
  auto& newest = kept_.emplace_back();
  for (const LayerObservation& layer : observation.layers) {
    newest.emplace_back(layer.gradient.begin(), layer.gradient.end());
  }
}

double GradientBlocks::diversity() const {
  double sum = 0;
  int counted = 0;
  for (std::size_t layer = 0; layer < kept_.front().size(); ++layer) {
    std::vector<float> total(kept_.front()[layer].size());
    double squares = 0;
    for (const auto& epoch : kept_) {
      const std::vector<float>& gradient = epoch[layer];
      std::ranges::transform(total, gradient, total.begin(), std::plus<>());
      squares += sum_squares(gradient);
    }
    const double square = sum_squares(total);
    if (square > 0) {
      sum += squares / square;
      ++counted;
    }
  }
  return counted > 0 ? sum / counted : 1;
}

}  // namespace adapt
