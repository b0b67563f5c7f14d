#include "data/strokes.hpp"

#include <algorithm>
#include <array>

namespace adapt {
namespace {

// Points are in writing order.
const std::array<std::vector<Glyph>, 10>& all_glyphs() {
  static const std::array<std::vector<Glyph>, 10> kGlyphs = {{
      {
          // 0: wide, narrow
          {{{.5F, 0},
            {.18F, .18F},
            {.08F, .52F},
            {.2F, .86F},
            {.52F, 1},
            {.82F, .84F},
            {.92F, .5F},
            {.8F, .16F},
            {.48F, .01F}}},
          {{{.62F, .04F},
            {.34F, .14F},
            {.24F, .5F},
            {.34F, .88F},
            {.55F, 1},
            {.74F, .84F},
            {.78F, .45F},
            {.66F, .1F},
            {.45F, .06F}}},
      },
      {
          // 1: bare, with a flag, with flag and base
          {{{.5F, 0}, {.5F, 1}}},
          {{{.28F, .24F}, {.54F, 0}, {.54F, 0}, {.54F, 1}}},
          {{{.28F, .24F}, {.54F, 0}, {.54F, 0}, {.54F, 1}}, {{.26F, 1}, {.82F, 1}}},
      },
      {
          // 2: with a corner, with a loop
          {{{.14F, .26F},
            {.3F, .04F},
            {.62F, .02F},
            {.84F, .22F},
            {.72F, .5F},
            {.4F, .78F},
            {.12F, 1},
            {.12F, 1},
            {.9F, 1}}},
          {{{.16F, .22F},
            {.4F, .02F},
            {.74F, .1F},
            {.8F, .36F},
            {.56F, .68F},
            {.26F, .94F},
            {.12F, .86F},
            {.3F, .78F},
            {.56F, .94F},
            {.9F, .96F}}},
      },
      {
          // 3: round, with a flat top
          {{{.16F, .12F},
            {.46F, 0},
            {.78F, .12F},
            {.76F, .36F},
            {.44F, .48F},
            {.44F, .48F},
            {.8F, .58F},
            {.86F, .84F},
            {.52F, 1},
            {.12F, .88F}}},
          {{{.14F, .02F},
            {.82F, .02F},
            {.82F, .02F},
            {.44F, .42F},
            {.44F, .42F},
            {.82F, .54F},
            {.84F, .84F},
            {.5F, 1},
            {.12F, .9F}}},
      },
      {
          // 4: open, closed, rounded
          {{{.26F, 0}, {.14F, .56F}, {.14F, .56F}, {.9F, .56F}}, {{.68F, .28F}, {.68F, 1}}},
          {{{.66F, 1}, {.66F, 0}, {.66F, 0}, {.08F, .68F}, {.08F, .68F}, {.92F, .68F}}},
          {{{.18F, .02F}, {.14F, .38F}, {.34F, .54F}, {.78F, .46F}}, {{.8F, .06F}, {.72F, 1}}},
      },
      {
          // 5: in one line, with the bar apart
          {{{.82F, .02F},
            {.26F, .02F},
            {.26F, .02F},
            {.2F, .44F},
            {.2F, .44F},
            {.56F, .36F},
            {.88F, .62F},
            {.72F, .94F},
            {.4F, 1},
            {.12F, .9F}}},
          {{{.3F, .04F}, {.22F, .46F}, {.22F, .46F}, {.62F, .42F}, {.84F, .7F}, {.6F, .98F}, {.14F, .94F}},
           {{.3F, .04F}, {.86F, 0}}},
      },
      {
          // 6: round, slim
          {{{.72F, .02F},
            {.4F, .2F},
            {.18F, .56F},
            {.2F, .88F},
            {.5F, 1},
            {.8F, .84F},
            {.76F, .58F},
            {.48F, .5F},
            {.2F, .7F}}},
          {{{.58F, 0},
            {.26F, .4F},
            {.2F, .8F},
            {.46F, 1},
            {.74F, .86F},
            {.66F, .62F},
            {.4F, .62F},
            {.22F, .82F}}},
      },
      {
          // 7: bare, with a crossbar, with a serif
          {{{.1F, .04F}, {.88F, .04F}, {.88F, .04F}, {.4F, 1}}},
          {{{.1F, .04F}, {.88F, .04F}, {.88F, .04F}, {.4F, 1}}, {{.32F, .52F}, {.84F, .5F}}},
          {{{.1F, .2F}, {.12F, .04F}, {.12F, .04F}, {.86F, .06F}, {.86F, .06F}, {.56F, .46F}, {.42F, 1}}},
      },
      {
          // 8: two loops, crossed
          {{{.5F, .46F},
            {.2F, .3F},
            {.26F, .06F},
            {.52F, 0},
            {.78F, .1F},
            {.76F, .32F},
            {.5F, .46F},
            {.2F, .66F},
            {.18F, .9F},
            {.5F, 1},
            {.82F, .9F},
            {.8F, .66F},
            {.5F, .46F}}},
          {{{.8F, .12F},
            {.5F, 0},
            {.22F, .14F},
            {.32F, .38F},
            {.7F, .6F},
            {.82F, .84F},
            {.5F, 1},
            {.18F, .84F},
            {.32F, .6F},
            {.68F, .38F},
            {.82F, .14F}}},
      },
      {
          // 9: round, with a straight tail, with a curved tail
          {{{.82F, .26F},
            {.58F, .02F},
            {.22F, .12F},
            {.2F, .4F},
            {.5F, .5F},
            {.82F, .26F},
            {.82F, .26F},
            {.8F, .62F},
            {.66F, 1}}},
          {{{.8F, .1F},
            {.46F, .02F},
            {.2F, .22F},
            {.34F, .48F},
            {.66F, .42F},
            {.8F, .1F},
            {.8F, .1F},
            {.8F, 1}}},
          {{{.8F, .3F},
            {.6F, .02F},
            {.24F, .1F},
            {.2F, .38F},
            {.52F, .5F},
            {.8F, .3F},
            {.8F, .3F},
            {.76F, .8F},
            {.46F, 1},
            {.2F, .9F}}},
      },
  }};
  return kGlyphs;
}

/// The spline between b and c, at t in [0, 1].
float spline(float a, float b, float c, float d, float t) {
  const float linear = c - a;
  const float square = 2 * a - 5 * b + 4 * c - d;
  const float cube = 3 * (b - c) + d - a;
  return b + 0.5F * t * (linear + t * (square + t * cube));
}

}  // namespace

std::span<const Glyph> glyphs(int digit) { return all_glyphs().at(static_cast<std::size_t>(digit)); }

Stroke flatten(const Stroke& stroke) {
  constexpr int kPieces = 4;  // between two points; they are 3 to 8 pixels apart
  if (stroke.size() <= 2) {
    return stroke;
  }
  Stroke result = {stroke.front()};
  result.reserve(kPieces * stroke.size());
  for (std::size_t i = 0; i + 1 < stroke.size(); ++i) {
    const Point a = stroke[i == 0 ? 0 : i - 1];
    const Point b = stroke[i];
    const Point c = stroke[i + 1];
    const Point d = stroke[std::min(i + 2, stroke.size() - 1)];
    if (b == c) {
      continue;  // a corner
    }
    const bool straight = a == b && c == d;
    for (int piece = straight ? kPieces : 1; piece <= kPieces; ++piece) {
      const float t = static_cast<float>(piece) / kPieces;
      result.push_back({spline(a.x, b.x, c.x, d.x, t), spline(a.y, b.y, c.y, d.y, t)});
    }
  }
  return result;
}

}  // namespace adapt
