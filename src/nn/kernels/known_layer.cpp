#include "nn/kernels/known_layer.hpp"

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <utility>

namespace adapt {
namespace {

std::size_t pixels_of(const Shape& shape) {
  return static_cast<std::size_t>(shape.h) * static_cast<std::size_t>(shape.w);
}

/// `count` integers of -most..most.
std::vector<float> small_integers(RandomSequence& random, std::size_t count, int most) {
  std::vector<float> numbers(count);
  std::generate(numbers.begin(), numbers.end(), [&] {
    return static_cast<float>(random.below(static_cast<std::uint32_t>(2 * most + 1))) -
           static_cast<float>(most);
  });
  return numbers;
}

/// The pixels of destination and source that weight `tap` joins.
template <class Use>
void for_each_place(const WindowProduct& product, std::size_t tap, Use&& use) {
  const auto [row, column] = std::div(static_cast<int>(tap), product.kernel);
  const Shape& to = product.destination;
  for (int y = 0; y < to.h; ++y) {
    const int from_y = product.source_of(y, row, product.source.h);
    for (int x = 0; x < to.w && from_y >= 0; ++x) {
      const int from_x = product.source_of(x, column, product.source.w);
      if (from_x >= 0) {
        use(static_cast<std::size_t>(y * to.w + x),
            static_cast<std::size_t>(from_y * product.source.w + from_x));
      }
    }
  }
}

}  // namespace

KnownLayer::Activation::Activation(RandomSequence& random, const Shape& map)
    : shape(map),
      channels(small_integers(random, static_cast<std::size_t>(map.c), 2)),
      pixels(small_integers(random, kImages * pixels_of(map), 2)) {}

const float* KnownLayer::Activation::image(std::size_t n) const {
  return pixels.data() + n * pixels_of(shape);
}

std::vector<float> KnownLayer::Activation::values() const {
  std::vector<float> all;
  all.reserve(pixels.size() * channels.size());
  for (const float pixel : pixels) {
    for (const float channel : channels) {
      all.push_back(pixel * channel);
    }
  }
  return all;
}

KnownLayer::KnownLayer(const WindowProduct& layer)
    : layer_(layer),
      random_({.seed = 1}),
      inputs_(static_cast<std::size_t>(layer.source.c)),
      outputs_(static_cast<std::size_t>(layer.destination.c)),
      taps_(static_cast<std::size_t>(layer.kernel * layer.kernel)),
      source_(random_, layer.source),
      gradient_(random_, layer.destination),
      weights_(small_integers(random_, outputs_ * layer.terms(), 1)),
      bias_(small_integers(random_, outputs_, 2)) {}

template <class Use>
void KnownLayer::for_each_weight(Use&& use) const {
  const auto group_inputs = static_cast<std::size_t>(layer_.group_inputs());
  const auto group_outputs = static_cast<std::size_t>(layer_.group_outputs());
  for (std::size_t o = 0, weight = 0; o < outputs_; ++o) {
    const std::size_t first = o / group_outputs * group_inputs;
    for (std::size_t i = first; i < first + group_inputs; ++i) {
      for (std::size_t tap = 0; tap < taps_; ++tap) {
        use(o, i, tap, weight++);
      }
    }
  }
}

/// `by_tap` (taps, channels) is what a pixel of 1 adds to a sum.
std::vector<float> KnownLayer::window_sums(const WindowProduct& product, const Activation& source,
                                           const std::vector<float>& by_tap,
                                           const std::vector<float>& first) {
  const std::size_t channels = first.size();
  const std::size_t size = pixels_of(product.destination) * channels;
  std::vector<float> all(kImages * size);
  for (std::size_t n = 0; n < kImages; ++n) {
    float* const image = all.data() + n * size;
    for (std::size_t to = 0; to < size; to += channels) {
      std::copy(first.begin(), first.end(), image + to);
    }
    for (std::size_t tap = 0; tap * channels < by_tap.size(); ++tap) {
      for_each_place(product, tap, [&](std::size_t to, std::size_t from) {
        for (std::size_t c = 0; c < channels; ++c) {
          image[to * channels + c] += source.image(n)[from] * by_tap[tap * channels + c];
        }
      });
    }
  }
  return all;
}

/// How often image `n` adds to a sum over the batch, less how often its negative does.
float KnownLayer::net_images_like(std::size_t n) const {
  const auto images = static_cast<std::size_t>(layer_.source.n);
  float net = 0;
  for (std::size_t repetition = 0; repetition * kImages + n < images; ++repetition) {
    net += gradient_sign(repetition);
  }
  return net;
}

std::vector<float> KnownLayer::destination(bool with_bias) const {
  std::vector<float> by_tap(taps_ * outputs_);
  for_each_weight([&](std::size_t o, std::size_t i, std::size_t tap, std::size_t weight) {
    by_tap[tap * outputs_ + o] += source_.channels[i] * weights_[weight];
  });
  return window_sums(layer_, source_, by_tap, with_bias ? bias_ : std::vector<float>(outputs_));
}

std::vector<float> KnownLayer::source_gradient() const {
  std::vector<float> by_tap(taps_ * inputs_);
  for_each_weight([&](std::size_t o, std::size_t i, std::size_t tap, std::size_t weight) {
    by_tap[tap * inputs_ + i] += gradient_.channels[o] * weights_[weight];
  });
  WindowProduct back = layer_;
  std::swap(back.source, back.destination);
  back.transposed = true;
  return window_sums(back, gradient_, by_tap, std::vector<float>(inputs_));
}

std::vector<float> KnownLayer::weight_gradient() const {
  std::vector<float> by_tap(taps_);
  for (std::size_t n = 0; n < kImages; ++n) {
    for (std::size_t tap = 0; tap < taps_; ++tap) {
      float sum = 0;
      for_each_place(layer_, tap, [&](std::size_t to, std::size_t from) {
        sum += gradient_.image(n)[to] * source_.image(n)[from];
      });
      by_tap[tap] += sum * net_images_like(n);
    }
  }
  std::vector<float> all(weights_.size());
  for_each_weight([&](std::size_t o, std::size_t i, std::size_t tap, std::size_t weight) {
    all[weight] = gradient_.channels[o] * source_.channels[i] * by_tap[tap];
  });
  return all;
}

std::vector<float> KnownLayer::bias_gradient() const {
  float sum = 0;
  for (std::size_t n = 0; n < kImages; ++n) {
    const float* const image = gradient_.image(n);
    sum += net_images_like(n) * std::accumulate(image, image + pixels_of(layer_.destination), 0.0F);
  }
  std::vector<float> all = gradient_.channels;
  std::for_each(all.begin(), all.end(), [&](float& channel) { channel *= sum; });
  return all;
}

}  // namespace adapt
