#include "nn/kernels/integer_convolution.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/error.hpp"
#include "base/stopwatch.hpp"
#include "base/threads.hpp"
#include "nn/kernels/known_answer.hpp"
#include "nn/kernels/library_product.hpp"
#include "numerics/quantize.hpp"

namespace adapt {
namespace {

constexpr std::int64_t kLargest = 128;  // of a byte
constexpr const char* kLibrary = "oneDNN";

}  // namespace

IntegerProduct::IntegerProduct(const WindowProduct& product) : product_(product) {
  const std::string task =
      concat("bytes, ", product.source.n, " images, threads: ", openmp_threads(), ", ", text_of(product));
  const KernelRecord& record = KernelRecord::of_process();
  add_own_products();
  const auto known = record.fastest(task);
  const bool is_own =
      known && std::ranges::any_of(kernels_, [&](const Kernel& own) { return own.name == *known; });
  if (record.is_on() && !is_own) {
    add_library();
  }
  std::vector<std::string> names;
  for (const Kernel& kernel : kernels_) {
    names.push_back(kernel.name);
  }
  trials_.emplace(task, std::move(names));
  give_up_losers();
}

void IntegerProduct::add_own_products() {
  for (const std::size_t width : row_widths(product_)) {
    kernels_.push_back({width == 1 ? "own" : concat("own, ", width, " windows a row"),
                        make_byte_product(product_, /*is_unsigned=*/false, width)});
  }
}

void IntegerProduct::add_library() {
  if (product_.is_depthwise() || !onednn::has_exact_bytes() || !LibraryProduct::takes(product_)) {
    return;
  }
  auto library = std::make_unique<LibraryProduct>(product_);
  has_library_ = !library->is_reference() && is_right_here(product_, *library);
  if (has_library_) {
    kernels_.push_back({kLibrary, std::move(library)});
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
  may_be_library_ = has_library_ && stays_exact(weights);
  const std::size_t usable = kernels_.size() - (has_library_ && !may_be_library_ ? 1 : 0);
  for (std::size_t i = 0; i < usable; ++i) {
    if (kernels_[i].product != nullptr && (!trials_->is_decided() || i == next())) {
      kernels_[i].product->set_weights(weights);
    }
  }
}

std::size_t IntegerProduct::next() const {
  const std::size_t chosen = trials_->next();
  const bool is_library = has_library_ && chosen + 1 == kernels_.size();
  return is_library && !may_be_library_ ? 0 : chosen;
}

void IntegerProduct::run(const std::int8_t* source, SumSink& sums) {
  const std::size_t kernel = next();
  if (trials_->is_decided() || kernel != trials_->next()) {
    kernels_[kernel].product->run(source, sums);
    return;
  }
  const Stopwatch watch;
  kernels_[kernel].product->run(source, sums);
  trials_->ran(watch.seconds());
  give_up_losers();
}

void IntegerProduct::give_up_losers() {
  if (!trials_->is_decided()) {
    return;
  }
  const std::size_t winner = trials_->next();
  const bool is_library = has_library_ && winner + 1 == kernels_.size();
  if (!is_library) {
    has_library_ = false;
    may_be_library_ = false;
  }
  for (std::size_t i = 0; i < kernels_.size(); ++i) {
    const bool is_stand_in = i == 0 && is_library && !is_always_exact();
    if (i != winner && !is_stand_in) {
      kernels_[i].product.reset();
    }
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
