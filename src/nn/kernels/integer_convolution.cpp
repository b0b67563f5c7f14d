#include "nn/kernels/integer_convolution.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "base/stopwatch.hpp"
#include "nn/kernels/known_answer.hpp"
#include "numerics/quantize.hpp"

namespace adapt {
namespace {

constexpr std::int64_t kLargest = 128;  // of a byte

}  // namespace

IntegerProduct::IntegerProduct(const WindowProduct& product)
    : product_(product), own_(make_byte_product(product)) {
  seconds_.fill(std::numeric_limits<double>::infinity());
  if (product.is_depthwise() || !onednn::has_exact_bytes() || !LibraryProduct::takes(product)) {
    return;
  }
  library_.emplace(product);
  if (library_->is_reference() || !is_right_here(product, *library_)) {
    library_.reset();
  }
}

bool IntegerProduct::is_always_exact() const {
  return static_cast<std::int64_t>(product_.terms()) * kLargest * kLargest < LibraryProduct::kExactSums;
}

bool IntegerProduct::stays_exact(std::span<const std::int8_t> weights) const {
  if (is_always_exact()) {
    return true;
  }
  const auto terms = product_.terms();
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
    if (++trials_ == 2 * kTrials) {
      finish_trials();
    }
  }
}

void IntegerProduct::finish_trials() {
  if (this->maker() == Maker::own) {
    library_.reset();
    may_be_library_ = false;
  } else if (is_always_exact()) {
    own_.reset();
  }
}

std::int64_t IntegerConvolution::terms(const ProductGeometry& layer) {
  const ProductGeometry geometry = FlatWindow(layer).geometry();
  return std::int64_t{std::max(geometry.group_inputs(), geometry.group_outputs())} * geometry.kernel *
         geometry.kernel;
}

bool IntegerConvolution::fits(const ProductGeometry& geometry) {
  constexpr std::int64_t kLargestProduct = std::int64_t{1} << 14;
  return terms(geometry) * kLargestProduct < std::int64_t{1} << 31;
}

IntegerConvolution::IntegerConvolution(const ProductGeometry& geometry, bool data_gradient)
    : window_(geometry),
      plain_(static_cast<std::size_t>(geometry.output.c * geometry.group_inputs() * geometry.kernel *
                                      geometry.kernel)),
      gradient_form_(window_.geometry()),
      forward_(forward_product(window_.geometry())) {
  if (data_gradient) {
    exchanged_.resize(gradient_form_.weights());
    gradient_.emplace(gradient_form_.product());
  }
}

bool IntegerConvolution::set_weights(std::span<const float> values, FixedFormat format) {
  // On the grid: nothing is rounded.
  if (!quantize_to_bytes(values, plain_, format, Rounding::nearest, {}).finite) {
    return false;
  }
  window_.flatten<std::int8_t>(plain_);
  forward_.set_weights(plain_);
  if (gradient_) {
    gradient_form_.exchange<std::int8_t>(plain_, exchanged_);
    gradient_->set_weights(exchanged_);
  }
  return true;
}

void IntegerConvolution::forward(const std::int8_t* x, SumSink& sums) { forward_.run(x, sums); }

void IntegerConvolution::data_gradient(const std::int8_t* dy, SumSink& sums,
                                       AlignedVector<std::int32_t>& memory) {
  gradient_form_.run(sums, memory, [&](SumSink& sink) { gradient_->run(dy, sink); });
}

}  // namespace adapt
