#pragma once

#include <span>
#include <vector>

namespace adapt {

/// A point of a drawing; x to the right, y down.
struct Point {
  float x = 0;
  float y = 0;
  bool operator==(const Point&) const = default;
};

/// A line of the pen: the smooth curve through its points. A point given twice is a corner.
using Stroke = std::vector<Point>;

/// Everything the pen draws for one digit, in the unit square.
using Glyph = std::vector<Stroke>;

/// The ways to write `digit` (0..9).
std::span<const Glyph> glyphs(int digit);

/// Breaks the curve (a Catmull-Rom spline) into straight pieces: returns its corner points in order.
Stroke flatten(const Stroke& stroke);

}  // namespace adapt
