#include "data/procedural.hpp"

#include <algorithm>
#include <array>
#include <future>
#include <numeric>
#include <thread>
#include <utility>

#include "base/error.hpp"
#include "base/phase.hpp"
#include "base/stop_signal.hpp"
#include "data/canvas.hpp"
#include "data/memory_dataset.hpp"
#include "data/registry.hpp"
#include "data/strokes.hpp"
#include "numerics/random.hpp"

// A dataset that needs no download: digits drawn from strokes, each bent, turned, moved and dirtied at
// random.

namespace adapt {
namespace {

constexpr ImageShape kShape{Canvas::kSide, Canvas::kSide, 1};
constexpr int kClasses = 10;

/// What the numbers of an image are for: the last word of their key.
enum Purpose : std::uint32_t { drawing = 0, noise = 1, labels = 2 };

/// Random draws in the units of the drawing.
class Dice {
 public:
  explicit Dice(const RandomKey& key) : sequence_(key) {}
  /// Uniform in [low, high).
  float between(float low, float high) {
    return low + (high - low) * (static_cast<float>(sequence_.bits() >> 8U) * 0x1p-24F);
  }
  int below(int bound) { return static_cast<int>(sequence_.below(static_cast<std::uint32_t>(bound))); }

 private:
  RandomSequence sequence_;
};

/// A smooth random map from the unit square to pixels: stretch, bend, shear, turn, move.
class Warp {
 public:
  explicit Warp(Dice& dice)
      : width_(dice.between(10, 18)),
        height_(dice.between(14, 21)),
        bend_x_(dice.between(-0.3F, 0.3F)),
        bend_y_(dice.between(-0.3F, 0.3F)),
        shear_(dice.between(-0.4F, 0.4F)),
        move_x_(Canvas::kSide / 2.0F + dice.between(-3, 3)),
        move_y_(Canvas::kSide / 2.0F + dice.between(-3, 3)) {
    const float half_tangent = dice.between(-0.15F, 0.15F);  // of the angle: up to 17 degrees, without libm
    const float square = half_tangent * half_tangent;
    cosine_ = (1 - square) / (1 + square);
    sine_ = 2 * half_tangent / (1 + square);
  }

  [[nodiscard]] Point operator()(Point point) const {
    const float u = point.x - 0.5F;
    const float v = point.y - 0.5F;
    const float x = (u + bend_x_ * (v * v - 0.125F)) * width_ - shear_ * v * height_;
    const float y = (v + bend_y_ * (u * u - 0.125F)) * height_;
    return {cosine_ * x - sine_ * y + move_x_, sine_ * x + cosine_ * y + move_y_};
  }

 private:
  float width_, height_, bend_x_, bend_y_, shear_, move_x_, move_y_;
  float cosine_ = 1;
  float sine_ = 0;
};

/// Every point of the template moved a little, on its own.
Stroke unsteady(const Stroke& stroke, Dice& dice) {
  constexpr float kTremble = 0.08F;
  Stroke result;
  result.reserve(stroke.size());
  for (std::size_t i = 0; i < stroke.size(); ++i) {
    if (i > 0 && stroke[i] == stroke[i - 1]) {
      result.push_back(result.back());  // corners stay corners
      continue;
    }
    const float dx = dice.between(-kTremble, kTremble);
    const float dy = dice.between(-kTremble, kTremble);
    result.push_back({stroke[i].x + dx, stroke[i].y + dy});
  }
  return result;
}

void draw_glyph(Canvas& canvas, const Glyph& glyph, Dice& dice) {
  const Warp warp(dice);
  const float radius = dice.between(0.5F, 1.8F);
  const float ink = dice.between(100, 255);
  for (const Stroke& stroke : glyph) {
    Stroke curve = unsteady(stroke, dice);
    for (Point& point : curve) {
      point = warp(point);
    }
    const Stroke pieces = flatten(curve);
    for (std::size_t i = 0; i + 1 < pieces.size(); ++i) {
      canvas.draw_line(pieces[i], pieces[i + 1], radius, ink);
    }
  }
}

/// Up to three specks anywhere, and in every second image a stray line along the border.
void draw_dirt(Canvas& canvas, Dice& dice) {
  constexpr float kSide = Canvas::kSide;
  for (int left = dice.below(4); left > 0; --left) {
    const float x = dice.between(0, kSide);
    const float y = dice.between(0, kSide);
    const float radius = dice.between(0.3F, 0.9F);  // drawn one by one: the order of arguments is not fixed
    const float ink = dice.between(60, 220);
    canvas.draw_line({x, y}, {x, y}, radius, ink);
  }
  if (dice.below(2) == 0) {
    return;
  }
  const float start = dice.between(0, kSide - 6);
  const float end = start + dice.between(3, 9);
  const float depth = dice.between(0, 5);
  const float tilt = dice.between(-2, 2);
  const float radius = dice.between(0.5F, 1.2F);
  const float ink = dice.between(60, 220);
  const bool far = dice.below(2) == 1;
  const float near_from = far ? kSide - depth : depth;
  const float near_to = near_from + tilt;
  const bool upright = dice.below(2) == 1;
  canvas.draw_line(upright ? Point{near_from, start} : Point{start, near_from},
                   upright ? Point{near_to, end} : Point{end, near_to}, radius, ink);
}

/// Rounds the ink and adds uniform noise of a random strength, the image's own.
void develop(const Canvas& canvas, int strength, RandomKey key, std::span<std::uint8_t> pixels) {
  constexpr float kHalf = 0.5F;  // ink is not negative: cutting off after adding it rounds
  key.shard = Purpose::noise;
  std::array<std::uint32_t, 4> words = {};
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    if (i % 16 == 0) {
      words = random_block(key, static_cast<std::uint32_t>(i / 16));
    }
    const auto byte = static_cast<int>(words[i % 16 / 4] >> (8 * (i % 4)) & 0xFFU);
    const int value = static_cast<int>(canvas.ink()[i] + kHalf) + (byte - 128) * strength / 128;
    pixels[i] = static_cast<std::uint8_t>(std::clamp(value, 0, 255));
  }
}

int label_of(std::uint64_t seed, std::uint32_t split, std::uint32_t index) {
  std::array<int, kClasses> digits = {};
  std::iota(digits.begin(), digits.end(), 0);
  RandomSequence random({seed, Stream::procedural, split, index / kClasses, Purpose::labels});
  for (std::uint32_t left = kClasses; left > 1; --left) {
    std::swap(digits[left - 1], digits[random.below(left)]);
  }
  return digits[index % kClasses];
}

/// Draws a whole split at once, over all cores: reading is then a copy without a lock, as cheap in the first
/// step as later. (60000 images take about a third of a second of one core; drawing on demand would cost the
/// same within the first epochs, because every rank meets nearly every image.)
ImageArrays draw_split(std::uint64_t seed, std::uint32_t split, std::int64_t samples) {
  constexpr std::int64_t kPart = 2000;  // images that are worth a thread
  const auto elements = static_cast<std::size_t>(kShape.elements());
  const auto count = static_cast<std::size_t>(samples);
  ImageArrays arrays{kShape, kClasses, std::vector<std::uint8_t>(count * elements),
                     std::vector<std::uint8_t>(count)};
  const std::int64_t cores = std::max(1U, std::thread::hardware_concurrency());
  const std::int64_t parts = std::clamp<std::int64_t>(samples / kPart, 1, cores);
  std::vector<std::future<void>> tasks;
  for (std::int64_t part = 0; part < parts; ++part) {
    tasks.push_back(
        std::async(std::launch::async, [&arrays, seed, split, elements, first = samples * part / parts,
                                        last = samples * (part + 1) / parts] {
          for (std::int64_t index = first; index < last; ++index) {
            check_stop();
            const auto position = static_cast<std::size_t>(index);
            arrays.labels[position] = static_cast<std::uint8_t>(
                draw_digit(seed, split, static_cast<std::uint32_t>(index),
                           std::span(arrays.pixels).subspan(position * elements, elements)));
            phase::go_on();
          }
        }));
  }
  for (std::future<void>& task : tasks) {
    task.get();
  }
  return arrays;
}

std::int64_t checked_samples(std::int64_t requested, std::int64_t standard, const char* option) {
  if (requested < 0 || requested > kMostProceduralImages) {
    throw BadInput(concat(option, " is ", requested, ": expected 1..", kMostProceduralImages,
                          " procedural images, or 0 for ", standard));
  }
  return requested == 0 ? standard : requested;
}

std::int64_t train_images(const DataOptions& options) {
  return checked_samples(options.train_samples, 60000, "data.train_samples");
}

std::int64_t test_images(const DataOptions& options) {
  return checked_samples(options.test_samples, 10000, "data.test_samples");
}

}  // namespace

int draw_digit(std::uint64_t seed, std::uint32_t split, std::uint32_t index, std::span<std::uint8_t> pixels) {
  if (static_cast<std::int64_t>(pixels.size()) != kShape.elements()) {
    throw Failure(
        concat("cannot draw a digit of ", kShape.elements(), " pixels into ", pixels.size(), " bytes"));
  }
  const RandomKey key{seed, Stream::procedural, split, index, Purpose::drawing};
  const int digit = label_of(seed, split, index);
  const std::span<const Glyph> variants = glyphs(digit);
  Dice dice(key);
  Canvas canvas;
  draw_glyph(canvas, variants[static_cast<std::size_t>(dice.below(static_cast<int>(variants.size())))], dice);
  draw_dirt(canvas, dice);
  develop(canvas, dice.below(65), key, pixels);
  return digit;
}

DataSplits open_procedural(const DataOptions& options, std::uint64_t seed) {
  return {std::make_shared<MemoryDataset>(draw_split(seed, 0, train_images(options))),
          std::make_shared<MemoryDataset>(draw_split(seed, 1, test_images(options))),
          {{0.1135F}, {0.2145F}}};
}

DataDescription describe_procedural(const DataOptions& options) {
  DataDescription description =
      describe_splits(kShape, kClasses, train_images(options), test_images(options), options);
  description.in_files = false;
  return description;
}

}  // namespace adapt
