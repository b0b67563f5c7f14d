#include "nn/kernels/window_float_product.hpp"

#include <algorithm>
#include <numeric>

#include "numerics/dispatch.hpp"

namespace adapt {
namespace {

using vector::kProductTile;
using vector::TermRun;

/// Pixels of a map whose windows are told apart at most.
constexpr std::size_t kSmallMap = 256;
/// Images that are enough rows of a left matrix.
constexpr int kEnoughImages = 8;
/// How much more work the border must be to be left out.
constexpr double kLargeBorder = 1.15;

std::size_t pixels_of(const Shape& image) {
  return static_cast<std::size_t>(image.h) * static_cast<std::size_t>(image.w);
}

/// Elements from an image to the next one such that the same pixels of many do not meet in one set of the
/// cache.
std::size_t image_distance(std::size_t elements) {
  constexpr std::size_t kPage = 1024;
  constexpr std::size_t kLine = 16;
  return elements % kPage == 0 ? elements + kLine : elements;
}

}  // namespace

WindowFloatProduct::WindowFloatProduct(const WindowProduct& product)
    : product_(product),
      inputs_(static_cast<std::size_t>(product.source.c)),
      outputs_(static_cast<std::size_t>(product.destination.c)),
      groups_(static_cast<std::size_t>(product.groups)),
      group_inputs_(static_cast<std::size_t>(product.group_inputs())),
      group_outputs_(static_cast<std::size_t>(product.group_outputs())),
      panels_((group_outputs_ + kProductTile - 1) / kProductTile),
      weights_(groups_ * panels_ * kProductTile * product.terms()),
      rows_(choose_rows()) {
  if (rows_ == Rows::pixels) {
    find_pixels();
  } else if (rows_ == Rows::images) {
    find_images();
  } else {
    find_map_rows();
  }
}

WindowFloatProduct::Rows WindowFloatProduct::choose_rows() const {
  const auto& [in, out, kernel, stride, padding, transposed, groups] = product_;
  if (kernel == 1 && stride == 1 && padding == 0 && in.h == out.h && in.w == out.w) {
    return Rows::pixels;
  }
  const bool is_small = in.n >= kEnoughImages && pixels_of(out) <= kSmallMap && pixels_of(in) <= kSmallMap;
  return is_small && border(out.h, in.h) * border(out.w, in.w) >= kLargeBorder ? Rows::images
                                                                               : Rows::of_a_map_row;
}

double WindowFloatProduct::border(int places, int size) const {
  int all = 0;
  int within = 0;
  for (int place = 0; place < places; ++place) {
    for (int tap = 0; tap < product_.kernel; ++tap) {
      all += source_of(place, tap, size, /*all=*/true) ? 1 : 0;
      within += source_of(place, tap, size, /*all=*/false) ? 1 : 0;
    }
  }
  return static_cast<double>(all) / std::max(within, 1);
}

void WindowFloatProduct::set_weights(std::span<const float> weights) {
  const auto area = static_cast<std::size_t>(product_.kernel) * static_cast<std::size_t>(product_.kernel);
  const float* from = weights.data();
  for (std::size_t o = 0; o < outputs_; ++o) {
    const std::size_t column = o / group_outputs_ * panels_ * kProductTile + o % group_outputs_;
    float* const panel =
        weights_.data() + column / kProductTile * kProductTile * product_.terms() + column % kProductTile;
    for (std::size_t i = 0; i < group_inputs_; ++i) {
      for (std::size_t tap = 0; tap < area; ++tap) {
        panel[(tap * group_inputs_ + i) * kProductTile] = *from++;
      }
    }
  }
}

std::optional<int> WindowFloatProduct::source_of(int place, int tap, int size, bool all) const {
  const int stride = product_.transposed ? product_.stride : 1;
  const int first =
      product_.transposed ? place + product_.padding - tap : place * product_.stride + tap - product_.padding;
  const int rest = (first % stride + stride) % stride;
  const int pixel = (first - rest) / stride;
  if (rest != 0 || (!all && (pixel < 0 || pixel >= size))) {
    return std::nullopt;
  }
  return pixel;
}

WindowFloatProduct::Range WindowFloatProduct::range(int places, int size) const {
  Range range = {size - 1, 0};
  for (int place = 0; place < places; ++place) {
    for (int tap = 0; tap < product_.kernel; ++tap) {
      const int pixel = source_of(place, tap, size, /*all=*/true).value_or(0);
      range = {std::min(range.first, pixel), std::max(range.last, pixel)};
    }
  }
  return range;
}

std::vector<TermRun> WindowFloatProduct::terms_of(int y, int x, bool all, std::size_t pitch,
                                                  std::size_t origin) const {
  std::vector<TermRun> runs;
  const int kernel = product_.kernel;
  // The last weight of a transposed window meets its first pixel.
  const auto tap_at = [&](int i) { return product_.transposed ? kernel - 1 - i : i; };
  for (int i = 0; i < kernel; ++i) {
    const auto pixel_y = source_of(y, tap_at(i), product_.source.h, all);
    for (int j = 0; pixel_y && j < kernel; ++j) {
      const auto pixel_x = source_of(x, tap_at(j), product_.source.w, all);
      if (!pixel_x) {
        continue;
      }
      // Modulo 2^64, where the border lies before the origin.
      const TermRun run = {
          origin + static_cast<std::size_t>(*pixel_y) * pitch + static_cast<std::size_t>(*pixel_x) * inputs_,
          static_cast<std::size_t>(tap_at(i) * kernel + tap_at(j)) * group_inputs_, group_inputs_};
      if (!runs.empty() && runs.back().left + runs.back().depth == run.left &&
          runs.back().right + runs.back().depth == run.right) {
        runs.back().depth += run.depth;
      } else {
        runs.push_back(run);
      }
    }
  }
  return runs;
}

void WindowFloatProduct::find_pixels() {
  row_step_ = inputs_;
  sum_step_ = outputs_;
  phases_ = {{{0, 0, group_inputs_}}};
  windows_ = {{0, 0, 0, 0}};
}

void WindowFloatProduct::find_images() {
  const Shape& in = product_.source;
  const Shape& out = product_.destination;
  row_step_ = image_distance(pixels_of(in) * inputs_);
  sum_step_ = pixels_of(out) * outputs_;
  for (int y = 0; y < out.h; ++y) {
    for (int x = 0; x < out.w; ++x) {
      windows_.push_back({phases_.size(), 0, static_cast<std::size_t>(y * out.w + x) * outputs_, 0});
      phases_.push_back(terms_of(y, x, /*all=*/false, static_cast<std::size_t>(in.w) * inputs_, 0));
    }
  }
}

void WindowFloatProduct::find_map_rows() {
  const Shape& in = product_.source;
  const Shape& out = product_.destination;
  const int phases = product_.transposed ? product_.stride : 1;
  row_step_ = inputs_ * static_cast<std::size_t>(product_.transposed ? 1 : product_.stride);
  sum_step_ = outputs_ * static_cast<std::size_t>(phases);
  windows_of_row_ = static_cast<std::size_t>(std::min(phases, out.w));
  y_ = range(out.h, in.h);
  x_ = range(out.w, in.w);
  is_direct_ = y_.first >= 0 && x_.first >= 0 && y_.last < in.h && x_.last < in.w;
  if (is_direct_) {
    y_ = {0, in.h - 1};
    x_ = {0, in.w - 1};
  } else {
    canvas_.resize(static_cast<std::size_t>(y_.size()) * pitch());
  }
  const std::size_t origin = std::size_t{0} - static_cast<std::size_t>(y_.first) * pitch() -
                             static_cast<std::size_t>(x_.first) * inputs_;
  const auto of_axis = static_cast<std::size_t>(phases);
  phases_.resize(of_axis * of_axis);
  for (int y = 0; y < out.h; ++y) {
    for (int x = 0; x < std::min(phases, out.w); ++x) {
      const std::size_t phase = static_cast<std::size_t>(y % phases) * of_axis + static_cast<std::size_t>(x);
      std::vector<TermRun> terms = terms_of(y, x, /*all=*/true, pitch(), origin);
      const std::size_t left = terms.empty() ? 0 : terms.front().left;
      for (TermRun& run : terms) {
        run.left -= left;
      }
      phases_[phase] = std::move(terms);
      windows_.push_back({phase, left, static_cast<std::size_t>(x) * outputs_,
                          static_cast<std::size_t>((out.w - x + phases - 1) / phases)});
    }
  }
}

void WindowFloatProduct::run(const float* source, ProductSink<float>& numbers) {
  switch (rows_) {
    case Rows::pixels:
      return run_pixels(source, numbers);
    case Rows::of_a_map_row:
      return run_map_rows(source, numbers);
    case Rows::images:
      return run_images(source, numbers);
  }
}

void WindowFloatProduct::run_pixels(const float* source, ProductSink<float>& numbers) {
  const std::size_t all = static_cast<std::size_t>(product_.destination.n) * pixels_of(product_.destination);
  const std::size_t piece = piece_windows(outputs_);
  for (std::size_t first = 0; first < all; first += piece) {
    const std::size_t count = std::min(piece, all - first);
    multiply(source + first * inputs_, windows_.front(), count,
             numbers.room(first * outputs_, count * outputs_));
    numbers.take(first * outputs_, count * outputs_);
  }
}

void WindowFloatProduct::run_images(const float* source, ProductSink<float>& numbers) {
  const auto images = static_cast<std::size_t>(product_.source.n);
  const std::size_t image = pixels_of(product_.source) * inputs_;
  const std::size_t piece = std::lcm(images_of_piece(), kProductTile);
  for (std::size_t first = 0; first < images; first += piece) {
    const std::size_t count = std::min(piece, images - first);
    const float* from = source + first * image;
    if (row_step_ != image) {
      canvas_.resize(std::max(canvas_.size(), count * row_step_));
      for (std::size_t i = 0; i < count; ++i) {
        std::copy_n(from + i * image, image, canvas_.data() + i * row_step_);
      }
      from = canvas_.data();
    }
    float* const to = numbers.room(first * sum_step_, count * sum_step_);
    for (const Windows& windows : windows_) {
      multiply(from, windows, count, to + windows.destination);
    }
    numbers.take(first * sum_step_, count * sum_step_);
  }
}

std::size_t WindowFloatProduct::images_of_piece() const {
  const std::size_t unit = piece_unit(outputs_);
  return unit / std::gcd(unit, pixels_of(product_.destination));
}

std::size_t WindowFloatProduct::map_rows_of_piece() const {
  const auto height = static_cast<std::size_t>(product_.destination.h);
  const auto width = static_cast<std::size_t>(product_.destination.w);
  std::size_t rows = 1;
  while (rows < height &&
         (rows * width % piece_unit(outputs_) != 0 || rows * width < piece_windows(outputs_))) {
    ++rows;
  }
  return rows;
}

void WindowFloatProduct::run_map_rows(const float* source, ProductSink<float>& numbers) {
  const auto images = static_cast<std::size_t>(product_.source.n);
  const std::size_t image = pixels_of(product_.source) * inputs_;
  const std::size_t sums = pixels_of(product_.destination) * outputs_;
  const auto height = static_cast<std::size_t>(product_.destination.h);
  const std::size_t row = sums / height;
  const std::size_t piece = images_of_piece();
  if (piece > 1) {
    // No image ends where a piece may.
    for (std::size_t first = 0; first < images; first += piece) {
      const std::size_t count = std::min(piece, images - first);
      float* const to = numbers.room(first * sums, count * sums);
      for (std::size_t i = 0; i < count; ++i) {
        multiply_rows(drawn(source + (first + i) * image), 0, height, to + i * sums);
      }
      numbers.take(first * sums, count * sums);
    }
    return;
  }
  const std::size_t rows = map_rows_of_piece();
  for (std::size_t n = 0; n < images; ++n) {
    const float* const from = drawn(source + n * image);
    for (std::size_t y = 0; y < height; y += rows) {
      const std::size_t count = std::min(rows, height - y);
      multiply_rows(from, y, count, numbers.room(n * sums + y * row, count * row));
      numbers.take(n * sums + y * row, count * row);
    }
  }
}

void WindowFloatProduct::multiply_rows(const float* image, std::size_t first, std::size_t count,
                                       float* sums) {
  const std::size_t row = static_cast<std::size_t>(product_.destination.w) * outputs_;
  for (std::size_t y = 0; y < count; ++y) {
    for (std::size_t i = 0; i < windows_of_row_; ++i) {
      const Windows& windows = windows_[(first + y) * windows_of_row_ + i];
      multiply(image, windows, windows.count, sums + y * row + windows.destination);
    }
  }
}

const float* WindowFloatProduct::drawn(const float* image) {
  if (is_direct_) {
    return image;
  }
  const Shape& in = product_.source;
  const int left = std::max(0, x_.first);
  const int right = std::min(in.w - 1, x_.last);
  for (int y = std::max(0, y_.first); y <= std::min(in.h - 1, y_.last); ++y) {
    std::copy_n(image + static_cast<std::size_t>(y * in.w + left) * inputs_,
                static_cast<std::size_t>(std::max(0, right - left + 1)) * inputs_,
                canvas_.data() + static_cast<std::size_t>(y - y_.first) * pitch() +
                    static_cast<std::size_t>(left - x_.first) * inputs_);
  }
  return canvas_.data();
}

void WindowFloatProduct::multiply(const float* image, const Windows& windows, std::size_t count,
                                  float* sums) {
  const std::vector<TermRun>& terms = phases_[windows.phase];
  const auto multiply = vector::level().floats->multiply;
  const std::size_t columns = panels_ * kProductTile;
  const std::size_t panel = kProductTile * product_.terms();
  for (std::size_t group = 0; group < groups_; ++group) {
    const vector::FloatMatrices matrices = {image + windows.left + group * group_inputs_, count, row_step_,
                                            weights_.data() + group * panels_ * panel, panel};
    float* const to = sums + group * group_outputs_;
    if (columns == group_outputs_) {
      multiply(matrices, terms.data(), terms.size(), panels_, to, sum_step_);
      continue;
    }
    tile_.resize(std::max(tile_.size(), count * columns));
    multiply(matrices, terms.data(), terms.size(), panels_, tile_.data(), columns);
    for (std::size_t i = 0; i < count; ++i) {
      std::copy_n(tile_.data() + i * columns, group_outputs_, to + i * sum_step_);
    }
  }
}

}  // namespace adapt
