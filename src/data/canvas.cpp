#include "data/canvas.hpp"

#include <algorithm>
#include <cmath>

namespace adapt {
namespace {

/// First and one past the last pixel that a line between `a` and `b` of that reach can touch.
std::array<int, 2> touched(float a, float b, float reach) {
  constexpr float kSide = Canvas::kSide;
  const float first = std::clamp(std::min(a, b) - reach, 0.0F, kSide);
  const float last = std::clamp(std::max(a, b) + reach + 1, 0.0F, kSide);
  return {static_cast<int>(first), static_cast<int>(last)};
}

}  // namespace

void Canvas::draw_line(Point from, Point to, float radius, float ink) {
  constexpr float kHalfPixel = 0.5F;
  const float reach = radius + kHalfPixel;
  const float dx = to.x - from.x;
  const float dy = to.y - from.y;
  const float square = dx * dx + dy * dy;
  const float inverse = square > 0 ? 1 / square : 0;  // a point: every pixel is nearest to `from`
  const auto [first_row, last_row] = touched(from.y, to.y, reach);
  const auto [first_column, last_column] = touched(from.x, to.x, reach);
  for (int row = first_row; row < last_row; ++row) {
    const float y = static_cast<float>(row) + kHalfPixel - from.y;
    float* line = ink_.data() + std::ptrdiff_t{row} * kSide;
    for (int column = first_column; column < last_column; ++column) {
      const float x = static_cast<float>(column) + kHalfPixel - from.x;
      float along = (x * dx + y * dy) * inverse;
      along = along > 0 ? along : 0;
      along = along < 1 ? along : 1;
      const float away_x = x - along * dx;
      const float away_y = y - along * dy;
      float coverage = reach - std::sqrt(away_x * away_x + away_y * away_y);
      coverage = coverage < 1 ? coverage : 1;
      const float value = coverage * ink;  // negative beyond the line's reach
      line[column] = value > line[column] ? value : line[column];
    }
  }
}

}  // namespace adapt
