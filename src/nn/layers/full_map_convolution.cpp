#include "nn/layers/full_map_convolution.hpp"

#include <algorithm>

#include "nn/layers/product.hpp"

namespace adapt {
namespace {

std::size_t places(const Shape& shape) {
  return static_cast<std::size_t>(shape.h) * static_cast<std::size_t>(shape.w);
}

/// Taps of one axis that input place `at` has under the window of output place `place`.
int tap_of(const Window& window, int place, int at) { return at - (place * window.stride - window.padding); }

bool covers_axis(const Window& window, int size, int outputs) {
  return tap_of(window, outputs - 1, 0) >= 0 && tap_of(window, 0, size - 1) < window.kernel;
}

/// The linear layer's parameter: `dims` with zeros.
Parameter dense_parameter(const Parameter& original, std::vector<std::int64_t> dims, bool training) {
  Parameter dense;
  dense.name = original.name;
  dense.role = original.role;
  dense.dims = std::move(dims);
  std::size_t size = 1;
  for (const std::int64_t dim : dense.dims) {
    size *= static_cast<std::size_t>(dim);
  }
  dense.working.resize(size);
  dense.gradient.resize(training ? size : 0);
  return dense;
}

class FullMapConvolution : public Layer {
 public:
  FullMapConvolution(const Window& window, const LayerParts& parts, Parameter& weight, Parameter* bias)
      : weight_(weight),
        bias_(bias),
        expansion_(window, parts.input, parts.output),
        out_channels_(static_cast<std::size_t>(parts.output.c)) {
    const auto rows = static_cast<std::int64_t>(expansion_.rows());
    dense_weight_ =
        dense_parameter(weight, {rows, static_cast<std::int64_t>(expansion_.columns())}, parts.training);
    if (bias != nullptr) {
      dense_bias_ = dense_parameter(*bias, {rows}, parts.training);
    }
    linear_ = make_linear(parts, dense_weight_, bias != nullptr ? &dense_bias_ : nullptr);
  }

  void forward(Pass& pass) override {
    update_dense();
    linear_->forward(pass);
  }

  void backward(Pass& pass) override {
    update_dense();  // forward may have been in another arithmetic
    linear_->backward(pass);
    expansion_.fold(dense_weight_.gradient, weight_.gradient);
    if (bias_ != nullptr) {
      fold_bias_gradient();
    }
  }

 private:
  void update_dense() {
    if (dense_weight_.version != weight_.version) {
      expansion_.expand(weight_.working, dense_weight_.working);
      dense_weight_.version = weight_.version;
    }
    if (bias_ != nullptr && dense_bias_.version != bias_->version) {
      for (std::size_t output = 0; output < expansion_.repetitions(); ++output) {
        std::copy(bias_->working.begin(), bias_->working.end(),
                  dense_bias_.working.begin() + static_cast<std::ptrdiff_t>(output * out_channels_));
      }
      dense_bias_.version = bias_->version;
    }
  }

  void fold_bias_gradient() {
    std::fill(bias_->gradient.begin(), bias_->gradient.end(), 0.0F);
    for (std::size_t i = 0; i < dense_bias_.gradient.size(); ++i) {
      bias_->gradient[i % out_channels_] += dense_bias_.gradient[i];
    }
  }

  Parameter& weight_;
  Parameter* bias_;
  FullMapExpansion expansion_;
  std::size_t out_channels_;
  Parameter dense_weight_;
  Parameter dense_bias_;
  std::unique_ptr<Layer> linear_;
};

}  // namespace

FullMapExpansion::FullMapExpansion(const Window& window, const Shape& input_map, const Shape& output_map)
    : outputs_(places(output_map)),
      inputs_(places(input_map)),
      out_channels_(static_cast<std::size_t>(output_map.c)),
      in_channels_(static_cast<std::size_t>(input_map.c)) {
  taps_ = static_cast<std::size_t>(window.kernel) * static_cast<std::size_t>(window.kernel);
  rows_.resize(taps_ * in_channels_);
  for (std::size_t output = 0; output < outputs_; ++output) {
    for (std::size_t input = 0; input < inputs_; ++input) {
      const auto [to, from] = std::pair(static_cast<int>(output), static_cast<int>(input));
      const int row = tap_of(window, to / output_map.w, from / input_map.w);
      const int column = tap_of(window, to % output_map.w, from % input_map.w);
      joins_.push_back({output, input, static_cast<std::size_t>(row * window.kernel + column)});
    }
  }
}

void FullMapExpansion::expand(std::span<const float> weights, std::span<float> dense) {
  for (std::size_t channel = 0; channel < out_channels_; ++channel) {
    const auto window = weights.subspan(channel * in_channels_ * taps_, in_channels_ * taps_);
    for (std::size_t tap = 0; tap < taps_; ++tap) {
      float* const row = rows_.data() + tap * in_channels_;
      for (std::size_t i = 0; i < in_channels_; ++i) {
        row[i] = window[i * taps_ + tap];
      }
    }
    for (const Join& join : joins_) {
      std::copy_n(rows_.data() + join.tap * in_channels_, in_channels_,
                  dense.data() + segment(join, channel));
    }
  }
}

void FullMapExpansion::fold(std::span<const float> dense, std::span<float> weights) {
  for (std::size_t channel = 0; channel < out_channels_; ++channel) {
    std::fill(rows_.begin(), rows_.end(), 0.0F);
    for (const Join& join : joins_) {
      const float* const from = dense.data() + segment(join, channel);
      float* const row = rows_.data() + join.tap * in_channels_;
      for (std::size_t i = 0; i < in_channels_; ++i) {
        row[i] += from[i];
      }
    }
    const auto window = weights.subspan(channel * in_channels_ * taps_, in_channels_ * taps_);
    for (std::size_t tap = 0; tap < taps_; ++tap) {
      const float* const row = rows_.data() + tap * in_channels_;
      for (std::size_t i = 0; i < in_channels_; ++i) {
        window[i * taps_ + tap] = row[i];
      }
    }
  }
}

bool is_full_map(const ProductTerms& terms, const Shape& input, const Shape& output) {
  if (!terms.window || terms.groups > 1) {
    return false;
  }
  const Window& window = *terms.window;
  const auto taps = static_cast<std::size_t>(window.kernel) * static_cast<std::size_t>(window.kernel);
  return covers_axis(window, input.h, output.h) && covers_axis(window, input.w, output.w) &&
         places(input) * places(output) <= 2 * taps;
}

std::unique_ptr<Layer> make_full_map_convolution(const ProductTerms& terms, const LayerParts& parts,
                                                 Parameter& weight, Parameter* bias) {
  return std::make_unique<FullMapConvolution>(*terms.window, parts, weight, bias);
}

std::unique_ptr<Layer> make_faster_convolution(const ProductTerms& terms, const LayerParts& parts,
                                               Parameter& weight, Parameter* bias) {
  return is_full_map(terms, parts.input, parts.output) ? make_full_map_convolution(terms, parts, weight, bias)
                                                       : make_convolution(terms, parts, weight, bias);
}

}  // namespace adapt
