#include "nn/kernels/integer_convolution.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "base/stopwatch.hpp"
#include "nn/kernels/known_answer.hpp"
#include "numerics/quantize.hpp"

namespace adapt {
namespace {

WindowProduct gradient_product(const ProductGeometry& geometry, bool flipped) {
  const auto& [in, out, kernel, stride, padding, groups] = geometry;
  return {out, in, kernel, stride, flipped ? kernel - 1 - padding : padding, !flipped, groups};
}

/// Whether the data gradient is a convolution that has no negative padding.
bool can_flip(const ProductGeometry& geometry) {
  const WindowProduct forward = forward_product(geometry);
  const int behind = std::max(forward.padding_behind(geometry.input.h, geometry.output.h),
                              forward.padding_behind(geometry.input.w, geometry.output.w));
  return geometry.stride == 1 && std::max(geometry.padding, behind) < geometry.kernel;
}

}  // namespace

IntegerProduct::IntegerProduct(const WindowProduct& product)
    : product_(product), own_(make_byte_product(product)) {
  seconds_.fill(std::numeric_limits<double>::infinity());
  if (product.is_depthwise() || !onednn::has_exact_bytes() || !LibraryProduct::is_sound(product)) {
    return;
  }
  library_.emplace(product);
  if (library_->is_reference() || !is_right_here(product, *library_)) {
    library_.reset();
  }
}

bool IntegerProduct::stays_exact(std::span<const std::int8_t> weights) const {
  constexpr std::int64_t kLargest = 128;  // of a byte
  const auto terms = product_.terms();
  if (static_cast<std::int64_t>(terms) * kLargest * kLargest < LibraryProduct::kExactSums) {
    return true;
  }
  std::int32_t heaviest = 0;
  for (std::size_t first = 0; first < weights.size(); first += terms) {
    std::int32_t weight = 0;
    for (const std::int8_t byte : weights.subspan(first, terms)) {
      weight += std::abs(std::int32_t{byte});
    }
    heaviest = std::max(heaviest, weight);
  }
  return heaviest * kLargest < LibraryProduct::kExactSums;
}

void IntegerProduct::set_weights(std::span<const std::int8_t> weights) {
  may_be_library_ = library_ && stays_exact(weights);
  const bool is_trial = trials_ < 2 * kTrials;
  if (may_be_library_ && (is_trial || maker() == Maker::library)) {
    library_->set_weights(weights);
  }
  if (is_trial || maker() == Maker::own) {
    own_->set_weights(weights);
  }
}

IntegerProduct::Maker IntegerProduct::maker() const {
  if (!may_be_library_) {
    return Maker::own;
  }
  if (trials_ < 2 * kTrials) {
    return trials_ % 2 == 0 ? Maker::own : Maker::library;
  }
  return seconds_[0] <= seconds_[1] ? Maker::own : Maker::library;
}

void IntegerProduct::run(const std::int8_t* source, SumSink& sums) {
  const Maker maker = this->maker();
  const Stopwatch watch;
  if (maker == Maker::own) {
    own_->run(source, sums);
  } else {
    const auto all = static_cast<std::size_t>(product_.destination.elements());
    library_->run(source, sums.room(0, all));
    sums.take(0, all);
  }
  if (may_be_library_ && trials_ < 2 * kTrials) {
    double& fastest = seconds_.at(static_cast<std::size_t>(maker));
    fastest = std::min(fastest, watch.seconds());
    ++trials_;
  }
}

std::int64_t IntegerConvolution::terms(const ProductGeometry& geometry) {
  return std::int64_t{std::max(geometry.group_inputs(), geometry.group_outputs())} * geometry.kernel *
         geometry.kernel;
}

bool IntegerConvolution::fits(const ProductGeometry& geometry) {
  constexpr std::int64_t kLargestProduct = std::int64_t{1} << 14;
  return terms(geometry) * kLargestProduct < std::int64_t{1} << 31;
}

IntegerConvolution::IntegerConvolution(const ProductGeometry& geometry, bool data_gradient)
    : geometry_(geometry),
      flipped_(can_flip(geometry)),
      plain_(static_cast<std::size_t>(geometry.output.c * geometry.group_inputs() * geometry.kernel *
                                      geometry.kernel)),
      forward_(forward_product(geometry)) {
  if (data_gradient) {
    exchanged_.resize(plain_.size());
    gradient_.emplace(gradient_product(geometry, flipped_));
  }
}

bool IntegerConvolution::set_weights(std::span<const float> values, FixedFormat format) {
  // On the grid: nothing is rounded.
  if (!quantize_to_bytes(values, plain_, format, Rounding::nearest, {}).finite) {
    return false;
  }
  forward_.set_weights(plain_);
  if (gradient_) {
    exchange_channels();
    gradient_->set_weights(exchanged_);
  }
  return true;
}

void IntegerConvolution::exchange_channels() {
  // Kernels of a known area are copied without a loop.
  switch (geometry_.kernel) {
    case 1:
      return exchange_channels_of<1>();
    case 3:
      return exchange_channels_of<9>();
    case 5:
      return exchange_channels_of<25>();
    default:
      return exchange_channels_of<0>();
  }
}

template <std::size_t kArea>
void IntegerConvolution::exchange_channels_of() {
  const std::size_t area = kArea > 0 ? kArea : static_cast<std::size_t>(geometry_.kernel * geometry_.kernel);
  const auto inputs = static_cast<std::size_t>(geometry_.group_inputs());
  const auto outputs = static_cast<std::size_t>(geometry_.group_outputs());
  std::int8_t* to = exchanged_.data();
  for (std::size_t channel = 0; channel < static_cast<std::size_t>(geometry_.input.c); ++channel) {
    const std::size_t first = channel / inputs * outputs;  // output of the group
    const std::size_t i = channel % inputs;
    for (std::size_t o = first; o < first + outputs; ++o, to += area) {
      const std::int8_t* const from = plain_.data() + (o * inputs + i) * area;
      if (flipped_) {
        std::reverse_copy(from, from + area, to);
      } else {
        std::copy(from, from + area, to);
      }
    }
  }
}

void IntegerConvolution::forward(const std::int8_t* x, SumSink& sums) { forward_.run(x, sums); }

void IntegerConvolution::data_gradient(const std::int8_t* dy, SumSink& sums) { gradient_->run(dy, sums); }

}  // namespace adapt
