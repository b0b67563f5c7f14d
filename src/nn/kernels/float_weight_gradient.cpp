#include "nn/kernels/float_weight_gradient.hpp"

#include <algorithm>

#include "nn/kernels/operands.hpp"
#include "numerics/dispatch.hpp"

namespace adapt {
namespace {

using vector::kProductTile;

std::size_t rounded_up(std::size_t count, std::size_t unit) { return (count + unit - 1) / unit * unit; }

std::size_t pixels_of(const Shape& image) {
  return static_cast<std::size_t>(image.h) * static_cast<std::size_t>(image.w);
}

/// to (H, W, N, width) ← from (N, H, W, C), N images with so many pixels.
void gather_places(const float* from, std::size_t images, std::size_t pixels, std::size_t channels,
                   std::size_t width, float* to) {
  for (std::size_t n = 0; n < images; ++n) {
    for (std::size_t pixel = 0; pixel < pixels; ++pixel, from += channels) {
      std::copy_n(from, channels, to + (pixel * images + n) * width);
    }
  }
}

/// Memory for so many numbers, of which those that are never written must be 0.
void clear(AlignedVector<float>& numbers, std::size_t count) { numbers.assign(count, 0); }

}  // namespace

FloatWeightGradient::FloatWeightGradient(const ProductGeometry& layer)
    : layer_(layer),
      geometry_(group_of(layer)),
      window_(forward_product(geometry_)),
      canvas_(window_),
      pixels_(pixels_of(geometry_.output)),
      inputs_(static_cast<std::size_t>(geometry_.input.c)),
      channels_(static_cast<std::size_t>(geometry_.output.c)),
      columns_(rounded_up(channels_, kProductTile)),
      is_small_map_(pixels_ <= kSmallMap && pixels_of(geometry_.input) <= 4 * kSmallMap) {
  const auto kernel = static_cast<std::size_t>(geometry_.kernel);
  bands_ = is_small_map_ ? kernel * kernel : kernel;
  terms_ = is_small_map_ ? inputs_ : kernel * inputs_;
  rows_ = rounded_up(terms_, vector::kOuterRows);
  if (forward_product(layer).is_depthwise()) {
    depthwise_.emplace(layer);
  }
}

void FloatWeightGradient::run(const float* x, const float* dy, float* weights,
                              FloatGradientScratch& scratch) const {
  if (depthwise_) {
    depthwise_->run(x, dy, 1, 1, weights, nullptr);
    return;
  }
  each_group(layer_, x, dy, scratch.group, [&](const GroupOf<float>& group) {
    run_group(group.x, group.dy, weights + group.weights, scratch);
  });
}

void FloatWeightGradient::run_group(const float* x, const float* dy, float* weights,
                                    FloatGradientScratch& scratch) const {
  const auto images = static_cast<std::size_t>(geometry_.input.n);
  const std::size_t image = pixels_of(geometry_.input) * inputs_;
  const std::size_t slice = std::clamp<std::size_t>(kSlice / pixels_, 1, images);
  clear(scratch.sums, bands_ * rows_ * columns_);
  scratch.wide.clear();
  // A block of rows may read behind the last one.
  clear(scratch.x,
        slice * (is_small_map_ ? pixels_of(geometry_.input) * rows_ : canvas_.size()) + vector::kOuterRows);
  std::size_t added = 0;  // pixels, since the sums were zero
  for (std::size_t first = 0; first < images; first += slice) {
    const std::size_t count = std::min(slice, images - first);
    if (added > 0 && added + count * pixels_ > kPiece) {
      widen(scratch);
      added = 0;
    }
    const float* const gradient = dy + first * pixels_ * channels_;
    if (is_small_map_) {
      add_small_maps(x + first * image, gradient, count, scratch);
    } else {
      add_canvases(x + first * image, gradient, count, scratch);
    }
    added += count * pixels_;
  }
  if (!scratch.wide.empty()) {
    widen(scratch);
  }
  store(weights, scratch);
}

void FloatWeightGradient::add_small_maps(const float* x, const float* dy, std::size_t count,
                                         FloatGradientScratch& scratch) const {
  gather_places(x, count, pixels_of(geometry_.input), inputs_, rows_, scratch.x.data());
  clear(scratch.dy, pixels_ * count * columns_);
  gather_places(dy, count, pixels_, channels_, columns_, scratch.dy.data());
  const auto& [in, out, kernel, stride, padding, groups] = geometry_;
  for (int tap = 0; tap < kernel * kernel; ++tap) {
    scratch.runs.clear();
    for (int pixel = 0; pixel < out.h * out.w; ++pixel) {
      const int y = window_.source_of(pixel / out.w, tap / kernel, in.h);
      const int z = window_.source_of(pixel % out.w, tap % kernel, in.w);
      if (y >= 0 && z >= 0) {
        scratch.runs.push_back({scratch.x.data() + static_cast<std::size_t>(y * in.w + z) * count * rows_,
                                scratch.dy.data() + static_cast<std::size_t>(pixel) * count * columns_});
      }
    }
    add_band({scratch.runs.data(), scratch.runs.size(), count, rows_, columns_},
             static_cast<std::size_t>(tap), 0, scratch);
  }
}

const float* FloatWeightGradient::padded(const float* dy, std::size_t pixels,
                                         FloatGradientScratch& scratch) const {
  if (columns_ == channels_) {
    return dy;
  }
  clear(scratch.dy, pixels * columns_);
  gather_places(dy, 1, pixels, channels_, columns_, scratch.dy.data());
  return scratch.dy.data();
}

void FloatWeightGradient::add_canvases(const float* x, const float* dy, std::size_t count,
                                       FloatGradientScratch& scratch) const {
  // So much of both that it stays in the first cache while each band goes through it.
  constexpr std::size_t kCached = (std::size_t{24} << 10U) / sizeof(float);
  const auto width = static_cast<std::size_t>(geometry_.output.w);
  const std::size_t image = pixels_of(geometry_.input) * inputs_;
  const float* right = padded(dy, count * pixels_, scratch);
  scratch.runs.clear();
  for (std::size_t i = 0; i < count; ++i) {
    float* const canvas = scratch.x.data() + i * canvas_.size();
    canvas_.draw(FloatSource{x}, i * image, canvas);
    for (std::size_t window = 0; window < pixels_; window += width, right += width * columns_) {
      scratch.runs.push_back({canvas + canvas_.corner(window), right});
    }
  }
  const std::size_t of_run = width * (canvas_.step() + std::min(columns_, 2 * kProductTile));
  const std::size_t some = std::max<std::size_t>(1, kCached / of_run);
  for (std::size_t first = 0; first < scratch.runs.size(); first += some) {
    const vector::PixelRuns pixels = {scratch.runs.data() + first,
                                      std::min(some, scratch.runs.size() - first), width, canvas_.step(),
                                      columns_};
    for (std::size_t band = 0; band < bands_; ++band) {
      add_band(pixels, band, band * canvas_.pitch(), scratch);
    }
  }
}

void FloatWeightGradient::add_band(const vector::PixelRuns& pixels, std::size_t band, std::size_t left,
                                   FloatGradientScratch& scratch) const {
  const auto add_outer = vector::level().floats->add_outer;
  float* const sums = scratch.sums.data() + band * rows_ * columns_;
  for (std::size_t column = 0; column < columns_; column += 2 * kProductTile) {
    const std::size_t panels = std::min(columns_ - column, 2 * kProductTile) / kProductTile;
    add_outer(pixels, left, column, rows_, panels, sums + column, columns_);
  }
}

void FloatWeightGradient::widen(FloatGradientScratch& scratch) const {
  scratch.wide.resize(scratch.sums.size(), 0);
  vector::kernels().add_floats(scratch.sums.data(), scratch.wide.data(), scratch.sums.size(), 1);
  std::ranges::fill(scratch.sums, 0.0F);
}

void FloatWeightGradient::store(float* weights, const FloatGradientScratch& scratch) const {
  const auto kernel = static_cast<std::size_t>(geometry_.kernel);
  const std::size_t taps_of_band = terms_ / inputs_;
  const auto store_all = [&](const auto* sums) {  // -0 becomes 0
    for (std::size_t first = 0; first < channels_; first += kProductTile) {
      const std::size_t last = std::min(first + kProductTile, channels_);
      for (std::size_t band = 0; band < bands_; ++band) {
        for (std::size_t term = 0; term < terms_; ++term) {
          const auto* const from = sums + (band * rows_ + term) * columns_;
          const std::size_t tap = band * taps_of_band + term / inputs_;
          for (std::size_t o = first; o < last; ++o) {
            weights[(o * inputs_ + term % inputs_) * kernel * kernel + tap] =
                static_cast<float>(from[o]) + 0.0F;
          }
        }
      }
    }
  };
  if (scratch.wide.empty()) {
    store_all(scratch.sums.data());
  } else {
    store_all(scratch.wide.data());
  }
}

}  // namespace adapt
