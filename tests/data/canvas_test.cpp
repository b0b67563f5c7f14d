#include "data/canvas.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace adapt {
namespace {

float ink_at(const Canvas& canvas, int row, int column) {
  return canvas.ink()[static_cast<std::size_t>(row * Canvas::kSide + column)];
}

/// The obvious way: for every pixel, the least distance to many points of the line.
double reference(Point from, Point to, double radius, double ink, int row, int column) {
  double distance = 1e9;
  constexpr int kPoints = 20000;
  for (int i = 0; i <= kPoints; ++i) {
    const double t = static_cast<double>(i) / kPoints;
    distance = std::min(distance, std::hypot(from.x + t * (to.x - from.x) - (column + 0.5),
                                             from.y + t * (to.y - from.y) - (row + 0.5)));
  }
  return ink * std::clamp(radius + 0.5 - distance, 0.0, 1.0);
}

TEST(Canvas, EqualsTheReference) {
  struct Line {
    Point from, to;
    float radius;
  };
  for (const Line& line :
       {Line{{5, 5}, {20, 14}, 1.3F}, Line{{-4, 9}, {9, -4}, 2}, Line{{26, 3}, {31, 40}, 0.6F},
        Line{{10, 10}, {10, 10}, 1}, Line{{14, 3}, {14, 25}, 0.5F}, Line{{-50, -50}, {-40, -60}, 3}}) {
    Canvas canvas;
    canvas.draw_line(line.from, line.to, line.radius, 200);
    for (int row = 0; row < Canvas::kSide; ++row) {
      for (int column = 0; column < Canvas::kSide; ++column) {
        ASSERT_NEAR(ink_at(canvas, row, column), reference(line.from, line.to, line.radius, 200, row, column),
                    0.01)
            << "line from " << line.from.x << ", " << line.from.y << ", row " << row << ", column " << column;
      }
    }
  }
}

TEST(Canvas, TheGreaterInkCounts) {
  Canvas canvas;
  canvas.draw_line({3, 10.5F}, {20, 10.5F}, 1, 100);
  canvas.draw_line({10.5F, 3}, {10.5F, 20}, 1, 60);
  EXPECT_EQ(ink_at(canvas, 10, 10), 100);
  EXPECT_EQ(ink_at(canvas, 6, 10), 60);
}

TEST(Strokes, StraightAndCornersStayExact) {
  EXPECT_EQ(flatten({{0, 0}, {1, 1}}), (Stroke{{0, 0}, {1, 1}}));
  EXPECT_EQ(flatten({{0, 0}, {0, 0}, {1, 0}, {1, 0}, {1, 1}, {1, 1}}), (Stroke{{0, 0}, {1, 0}, {1, 1}}));
}

TEST(Strokes, CurvePassesThroughItsPointsAndByHand) {
  const Stroke curve = flatten({{0, 0}, {1, 0}, {2, 0}, {3, 3}});
  for (const Point point : {Point{0, 0}, Point{1, 0}, Point{2, 0}, Point{3, 3}}) {
    EXPECT_NE(std::find(curve.begin(), curve.end(), point), curve.end());
  }
  // Catmull-Rom at the middle of b and c: (9 (b + c) - (a + d)) / 16.
  EXPECT_NE(std::find(curve.begin(), curve.end(), Point{1.5F, -3.0F / 16}), curve.end());
  EXPECT_EQ(curve.size(), 13U);
}

TEST(Strokes, EveryDigitCanBeWrittenInTheUnitSquare) {
  for (int digit = 0; digit < 10; ++digit) {
    EXPECT_GE(glyphs(digit).size(), 2U);
    for (const Glyph& glyph : glyphs(digit)) {
      for (const Stroke& stroke : glyph) {
        EXPECT_GE(stroke.size(), 2U);
        for (const Point& point : stroke) {
          EXPECT_TRUE(point.x >= 0 && point.x <= 1 && point.y >= 0 && point.y <= 1) << "digit " << digit;
        }
      }
    }
  }
}

}  // namespace
}  // namespace adapt
