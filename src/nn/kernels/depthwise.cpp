#include "nn/kernels/depthwise.hpp"

#include <algorithm>
#include <functional>

#include "numerics/dispatch.hpp"

namespace adapt {
namespace {

/// Pairs of bytes, of whose products, 2^14 at most, a sum stays below 2^31.
constexpr std::size_t kMostPairs = std::size_t{1} << 16;
/// Pairs from which on the kernel's work outweighs its call; they stay in the second cache.
constexpr std::size_t kUsualPairs = 1024;

void sum_pairs(const std::int8_t* const* left, const std::int8_t* const* right, std::size_t count,
               std::size_t channels, std::int32_t* sums) {
  vector::kernels().sum_signed_pairs(left, right, count, channels, sums);
}

void sum_pairs(const std::uint8_t* const* left, const std::int8_t* const* right, std::size_t count,
               std::size_t channels, std::int32_t* sums) {
  vector::kernels().sum_unsigned_pairs(left, right, count, channels, sums);
}

}  // namespace

DepthwiseProduct::DepthwiseProduct(const WindowProduct& product, bool is_unsigned)
    : product_(product),
      is_unsigned_(is_unsigned),
      channels_(static_cast<std::size_t>(product.destination.c)),
      weights_(product.terms() * channels_) {}

void DepthwiseProduct::set_weights(std::span<const std::int8_t> weights) {
  const std::size_t taps = product_.terms();
  for (std::size_t c = 0; c < channels_; ++c) {
    for (std::size_t tap = 0; tap < taps; ++tap) {
      weights_[tap * channels_ + c] = weights[c * taps + tap];
    }
  }
}

template <class Byte>
void DepthwiseProduct::sum_window(const Byte* image, int place, std::vector<const Byte*>& pixels,
                                  std::vector<const std::int8_t*>& weights, std::int32_t* sums) const {
  const Shape& in = product_.source;
  const Shape& out = product_.destination;
  std::size_t count = 0;
  for (int tap = 0; tap < product_.kernel * product_.kernel; ++tap) {
    const int y = product_.source_of(place / out.w, tap / product_.kernel, in.h);
    const int x = product_.source_of(place % out.w, tap % product_.kernel, in.w);
    if (y >= 0 && x >= 0) {
      pixels[count] = image + static_cast<std::size_t>(y * in.w + x) * channels_;
      weights[count++] = weights_.data() + static_cast<std::size_t>(tap) * channels_;
    }
  }
  sum_pairs(pixels.data(), weights.data(), count, channels_, sums);
}

template <class Byte>
void DepthwiseProduct::run_on(const Byte* source, SumSink& sums) const {
  const Shape& in = product_.source;
  const Shape& out = product_.destination;
  const auto pixels = static_cast<std::size_t>(out.h * out.w);
  const auto image_bytes = static_cast<std::size_t>(in.elements() / in.n);
  const std::size_t windows = static_cast<std::size_t>(out.n) * pixels;
  const std::size_t piece = piece_windows(channels_);
  std::vector<const Byte*> left(product_.terms());
  std::vector<const std::int8_t*> right(product_.terms());
  for (std::size_t first = 0; first < windows; first += piece) {
    const std::size_t some = std::min(piece, windows - first);
    std::int32_t* const to = sums.room(first * channels_, some * channels_);
    for (std::size_t window = 0; window < some; ++window) {
      sum_window(source + (first + window) / pixels * image_bytes,
                 static_cast<int>((first + window) % pixels), left, right, to + window * channels_);
    }
    sums.take(first * channels_, some * channels_);
  }
}

void DepthwiseProduct::run(const void* source, SumSink& sums) {
  if (is_unsigned_) {
    run_on(static_cast<const std::uint8_t*>(source), sums);
  } else {
    run_on(static_cast<const std::int8_t*>(source), sums);
  }
}

DepthwiseWeightGradient::DepthwiseWeightGradient(const ProductGeometry& geometry)
    : geometry_(geometry),
      product_(forward_product(geometry)),
      taps_(geometry.kernel * geometry.kernel),
      channels_(static_cast<std::size_t>(geometry.output.c)) {}

void DepthwiseWeightGradient::join(const std::int8_t* x, const std::int8_t* dy, int n, int tap,
                                   Pairs& pairs) const {
  const Shape& in = geometry_.input;
  const Shape& out = geometry_.output;
  for (int place = 0; place < out.h * out.w; ++place) {
    const int from_y = product_.source_of(place / out.w, tap / geometry_.kernel, in.h);
    const int from_x = product_.source_of(place % out.w, tap % geometry_.kernel, in.w);
    if (from_y >= 0 && from_x >= 0) {
      pairs.left.push_back(x + static_cast<std::size_t>((n * in.h + from_y) * in.w + from_x) * channels_);
      pairs.right.push_back(dy + static_cast<std::size_t>(n * out.h * out.w + place) * channels_);
    }
  }
}

void DepthwiseWeightGradient::add(Pairs& pairs, std::span<std::int64_t> sums) const {
  std::vector<std::int32_t> part(channels_);
  for (std::size_t first = 0; first < pairs.left.size(); first += kMostPairs) {
    const std::size_t count = std::min(kMostPairs, pairs.left.size() - first);
    sum_pairs(pairs.left.data() + first, pairs.right.data() + first, count, channels_, part.data());
    std::transform(part.begin(), part.end(), sums.begin(), sums.begin(), std::plus<std::int64_t>());
  }
  pairs.left.clear();
  pairs.right.clear();
}

std::vector<std::int64_t> DepthwiseWeightGradient::weight_sums(const std::int8_t* x,
                                                               const std::int8_t* dy) const {
  const auto places = static_cast<std::size_t>(geometry_.output.h * geometry_.output.w);
  const int images = static_cast<int>(std::max<std::size_t>(1, kUsualPairs / places));
  std::vector<std::int64_t> sums(static_cast<std::size_t>(taps_) * channels_);
  Pairs pairs;
  for (int first = 0; first < geometry_.input.n; first += images) {
    for (int tap = 0; tap < taps_; ++tap) {
      for (int n = first; n < std::min(first + images, geometry_.input.n); ++n) {
        join(x, dy, n, tap, pairs);
      }
      add(pairs, std::span(sums).subspan(static_cast<std::size_t>(tap) * channels_, channels_));
    }
  }
  return sums;
}

std::vector<std::int64_t> DepthwiseWeightGradient::bias_sums(const std::int8_t* dy) const {
  const std::vector<std::int8_t> ones(channels_, 1);
  const auto pixels = static_cast<std::size_t>(geometry_.output.elements()) / channels_;
  std::vector<std::int64_t> sums(channels_);
  Pairs pairs;
  for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
    pairs.left.push_back(ones.data());
    pairs.right.push_back(dy + pixel * channels_);
    if (pairs.left.size() == kMostPairs || pixel + 1 == pixels) {
      add(pairs, sums);
    }
  }
  return sums;
}

void DepthwiseWeightGradient::run(const std::int8_t* x, const std::int8_t* dy, float step, float bias_step,
                                  float* weights, float* bias) const {
  const std::vector<std::int64_t> sums = weight_sums(x, dy);
  const auto taps = static_cast<std::size_t>(taps_);
  for (std::size_t c = 0; c < channels_; ++c) {
    for (std::size_t tap = 0; tap < taps; ++tap) {
      *weights++ = static_cast<float>(sums[tap * channels_ + c]) * step;
    }
  }
  if (bias != nullptr) {
    const std::vector<std::int64_t> of_bias = bias_sums(dy);
    std::transform(of_bias.begin(), of_bias.end(), bias,
                   [&](std::int64_t sum) { return static_cast<float>(sum) * bias_step; });
  }
}

}  // namespace adapt
