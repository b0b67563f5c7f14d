#include "nn/kernels/depthwise.hpp"

#include <algorithm>
#include <functional>
#include <type_traits>

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

void sum_pairs(const float* const* left, const float* const* right, std::size_t count, std::size_t channels,
               double* sums) {
  vector::kernels().sum_wide_pairs(left, right, count, channels, sums);
}

/// What kMostPairs products are summed in.
template <class Element>
using SumOfPairs = std::conditional_t<std::is_same_v<Element, float>, double, std::int32_t>;

}  // namespace

template <class Weight>
DepthwiseWindows<Weight>::DepthwiseWindows(const WindowProduct& product)
    : product_(product),
      channels_(static_cast<std::size_t>(product.destination.c)),
      weights_(product.terms() * channels_) {}

template <class Weight>
void DepthwiseWindows<Weight>::set_weights(std::span<const Weight> weights) {
  const std::size_t taps = product_.terms();
  for (std::size_t c = 0; c < channels_; ++c) {
    for (std::size_t tap = 0; tap < taps; ++tap) {
      weights_[tap * channels_ + c] = weights[c * taps + tap];
    }
  }
}

template <class Weight>
std::size_t DepthwiseWindows<Weight>::windows() const {
  return static_cast<std::size_t>(product_.destination.elements()) / channels_;
}

template <class Weight>
template <class Element, class Sum>
void DepthwiseWindows<Weight>::sum(const Element* source, std::size_t first, std::size_t count,
                                   Sum* sums) const {
  const Shape& in = product_.source;
  const Shape& out = product_.destination;
  const auto pixels = static_cast<std::size_t>(out.h * out.w);
  const auto image_size = static_cast<std::size_t>(in.elements() / in.n);
  std::vector<const Element*> left(product_.terms());
  std::vector<const Weight*> right(product_.terms());
  for (std::size_t window = first; window < first + count; ++window, sums += channels_) {
    const Element* const image = source + window / pixels * image_size;
    const int place = static_cast<int>(window % pixels);
    std::size_t pairs = 0;
    for (int tap = 0; tap < product_.kernel * product_.kernel; ++tap) {
      const int y = product_.source_of(place / out.w, tap / product_.kernel, in.h);
      const int x = product_.source_of(place % out.w, tap % product_.kernel, in.w);
      if (y >= 0 && x >= 0) {
        left[pairs] = image + static_cast<std::size_t>(y * in.w + x) * channels_;
        right[pairs++] = weights_.data() + static_cast<std::size_t>(tap) * channels_;
      }
    }
    sum_pairs(left.data(), right.data(), pairs, channels_, sums);
  }
}

DepthwiseProduct::DepthwiseProduct(const WindowProduct& product, bool is_unsigned)
    : windows_(product), is_unsigned_(is_unsigned) {}

void DepthwiseProduct::set_weights(std::span<const std::int8_t> weights) { windows_.set_weights(weights); }

template <class Byte>
void DepthwiseProduct::run_on(const Byte* source, SumSink& sums) const {
  const std::size_t channels = windows_.channels();
  const std::size_t piece = piece_windows(channels);
  for (std::size_t first = 0; first < windows_.windows(); first += piece) {
    const std::size_t some = std::min(piece, windows_.windows() - first);
    windows_.sum(source, first, some, sums.room(first * channels, some * channels));
    sums.take(first * channels, some * channels);
  }
}

void DepthwiseProduct::run(const void* source, SumSink& sums) {
  if (is_unsigned_) {
    run_on(static_cast<const std::uint8_t*>(source), sums);
  } else {
    run_on(static_cast<const std::int8_t*>(source), sums);
  }
}

DepthwiseFloatProduct::DepthwiseFloatProduct(const WindowProduct& product) : windows_(product) {}

void DepthwiseFloatProduct::set_weights(std::span<const float> weights) { windows_.set_weights(weights); }

void DepthwiseFloatProduct::run(const float* source, ProductSink<float>& numbers) {
  const std::size_t channels = windows_.channels();
  const std::size_t piece = piece_windows(channels);
  sums_.resize(piece * channels);
  for (std::size_t first = 0; first < windows_.windows(); first += piece) {
    const std::size_t some = std::min(piece, windows_.windows() - first);
    windows_.sum(source, first, some, sums_.data());
    float* const to = numbers.room(first * channels, some * channels);
    vector::kernels().from_wide(sums_.data(), to, some * channels, 1);
    numbers.take(first * channels, some * channels);
  }
}

void DepthwiseGridProduct::set_weights(std::span<const std::int16_t> weights, float step) {
  weights_.resize(weights.size());
  std::ranges::transform(weights, weights_.begin(),
                         [step](std::int16_t integer) { return static_cast<float>(integer) * step; });
  product_.set_weights(weights_);
}

void DepthwiseGridProduct::run(const GridTensor& source, ProductSink<float>& numbers) {
  product_.run(source.numbers, numbers);
}

template <class Element>
DepthwiseWeightGradient<Element>::DepthwiseWeightGradient(const ProductGeometry& geometry)
    : geometry_(geometry),
      product_(forward_product(geometry)),
      taps_(geometry.kernel * geometry.kernel),
      channels_(static_cast<std::size_t>(geometry.output.c)) {}

template <class Element>
void DepthwiseWeightGradient<Element>::join(const Element* x, const Element* dy, int n, int tap,
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

template <class Element>
void DepthwiseWeightGradient<Element>::add(Pairs& pairs, std::span<double> sums) const {
  std::vector<SumOfPairs<Element>> part(channels_);
  for (std::size_t first = 0; first < pairs.left.size(); first += kMostPairs) {
    const std::size_t count = std::min(kMostPairs, pairs.left.size() - first);
    sum_pairs(pairs.left.data() + first, pairs.right.data() + first, count, channels_, part.data());
    std::transform(part.begin(), part.end(), sums.begin(), sums.begin(), std::plus<double>());
  }
  pairs.left.clear();
  pairs.right.clear();
}

template <class Element>
std::vector<double> DepthwiseWeightGradient<Element>::weight_sums(const Element* x, const Element* dy) const {
  const auto places = static_cast<std::size_t>(geometry_.output.h * geometry_.output.w);
  const int images = static_cast<int>(std::max<std::size_t>(1, kUsualPairs / places));
  std::vector<double> sums(static_cast<std::size_t>(taps_) * channels_);
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

template <class Element>
std::vector<double> DepthwiseWeightGradient<Element>::bias_sums(const Element* dy) const {
  const std::vector<Element> ones(channels_, 1);
  const auto pixels = static_cast<std::size_t>(geometry_.output.elements()) / channels_;
  std::vector<double> sums(channels_);
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

template <class Element>
void DepthwiseWeightGradient<Element>::run(const Element* x, const Element* dy, float step, float bias_step,
                                           float* weights, float* bias) const {
  const std::vector<double> sums = weight_sums(x, dy);
  const auto taps = static_cast<std::size_t>(taps_);
  for (std::size_t c = 0; c < channels_; ++c) {
    for (std::size_t tap = 0; tap < taps; ++tap) {
      *weights++ = static_cast<float>(sums[tap * channels_ + c]) * step;
    }
  }
  if (bias != nullptr) {
    const std::vector<double> of_bias = bias_sums(dy);
    std::transform(of_bias.begin(), of_bias.end(), bias,
                   [&](double sum) { return static_cast<float>(sum) * bias_step; });
  }
}

template class DepthwiseWindows<std::int8_t>;
template class DepthwiseWindows<float>;
template class DepthwiseWeightGradient<std::int8_t>;
template class DepthwiseWeightGradient<float>;

}  // namespace adapt
