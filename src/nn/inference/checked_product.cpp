#include "nn/inference/checked_product.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/fault.hpp"
#include "base/stopwatch.hpp"
#include "base/threads.hpp"
#include "nn/inference/own_product.hpp"
#include "nn/kernels/known_answer.hpp"
#include "nn/kernels/onednn.hpp"
#include "nn/kernels/tuning.hpp"
#include "numerics/random.hpp"

namespace adapt {
namespace {

/// Bytes of which half are extreme, pixel by pixel all alike or not; floats of about the size of bytes.
void fill(const ValueMemory& value, NumberType type, RandomSequence& random) {
  const auto elements = static_cast<std::size_t>(value.value.shape.elements());
  const auto channels = static_cast<std::size_t>(value.value.shape.c);
  const float least = type == NumberType::unsigned_byte ? 0.0F : -128.0F;
  std::uint32_t kind = 0;
  for (std::size_t i = 0; i < elements; ++i) {
    kind = i % channels == 0 ? random.below(4) : kind;
    const std::uint32_t offset = kind == 0 ? 0 : kind == 1 ? 255 : random.bits() % 256;
    store(value.data.get_data_handle(), type, i, least + static_cast<float>(offset));
  }
}

/// Float32 arithmetic in another order, and another tanh, make some difference, but no more.
bool is_near(const std::vector<float>& found, const std::vector<float>& expected, NumberType type) {
  const float relative = type == NumberType::bfloat16 ? 1e-2F : 1e-3F;
  float largest = 0;
  for (const float number : expected) {
    largest = std::max(largest, std::abs(number));
  }
  const float tolerance = is_byte(type) ? 1.0F : relative * largest;
  return std::equal(found.begin(), found.end(), expected.begin(), [&](float a, float b) {
    return a == b || (std::isnan(a) && std::isnan(b)) || std::abs(a - b) <= tolerance;
  });
}

/// Memory for a tensor that has none yet, for as long as this lives.
class Lent {
 public:
  explicit Lent(const dnnl::memory& tensor) : tensor_(tensor) {
    if (tensor_.get_data_handle() == nullptr) {
      bytes_.resize(tensor_.get_desc().get_size());
      tensor_.set_data_handle(bytes_.data());
    }
  }
  ~Lent() {
    if (!bytes_.empty()) {
      dnnl_memory_set_data_handle(tensor_.get(), nullptr);  // which does not throw
    }
  }
  Lent(const Lent&) = delete;
  Lent& operator=(const Lent&) = delete;

 private:
  dnnl::memory tensor_;
  AlignedVector<std::uint8_t> bytes_;
};

/// Whether the library's kernels of bytes round as ours do, in every operation, so that a trial has to show
/// only that they are right: sums that do not saturate, no tanh, which is another polynomial, no residual,
/// whose product may be fused with its addition, and the addend added before the factor, unless that is a
/// power of two.
bool may_be_equal(const StepParts& parts) {
  const FoldedProduct& product = parts.step.product;
  const auto is_power = [](float factor) {
    int exponent = 0;
    return std::abs(std::frexp(factor, &exponent)) == 0.5F;
  };
  return onednn::has_exact_bytes() && product.activation != Activation::tanh && parts.step.residual < 0 &&
         (onednn::adds_before_it_scales() || std::ranges::all_of(product.factors, is_power));
}

/// How the library's numbers compare with those of our products.
enum class Agreement { none, near, equal };

/// Of all images where `own` is fast, else of the first and the last one.
Agreement agreement(const StepParts& parts, const std::function<void()>& library) {
  const ValueMemory& from = parts.sources[0];
  const Lent images_memory(from.data);
  RandomSequence random({.seed = 1});
  const ValueMemory& to = parts.destination;
  const NumberType type = to.value.type;
  const bool has_residual = parts.step.residual >= 0;
  fill(from, from.value.type, random);
  fill(to, has_residual ? parts.residual_type : type, random);
  const int images = to.value.shape.n;
  const bool all = parts.step.product.integer;
  const int together = all ? images : 1;
  const auto numbers = static_cast<std::size_t>(to.value.shape.elements() / images * together);
  const auto source_bytes =
      static_cast<std::size_t>(from.value.shape.elements() / images * bytes_of(from.value.type));
  const auto bytes = static_cast<std::size_t>(to.value.shape.elements() / images * bytes_of(type));
  const auto* const source = static_cast<const std::uint8_t*>(from.data.get_data_handle());
  auto* const destination = static_cast<std::uint8_t*>(to.data.get_data_handle());
  OwnProduct own(parts, together);
  std::vector<float> expected;
  std::vector<float> found;
  const auto append = [&](std::vector<float>& list, const void* image) {
    for (std::size_t i = 0; i < numbers; ++i) {
      list.push_back(number_at(image, type, i));
    }
  };
  const auto first_images = all ? std::vector<int>{0} : std::vector<int>{0, images - 1};
  for (const auto image : first_images) {
    const std::size_t first = static_cast<std::size_t>(image) * bytes;
    AlignedVector<std::uint8_t> copy(destination + first,
                                     destination + first + static_cast<std::size_t>(together) * bytes);
    own.run(source + static_cast<std::size_t>(image) * source_bytes, copy.data());
    append(expected, copy.data());
  }
  library();
  onednn::stream().wait();
  for (const auto image : first_images) {
    append(found, destination + static_cast<std::size_t>(image) * bytes);
  }
  if (fault::falsifies("known_answer")) {
    found.back() += 1e9F;
  }
  return found == expected                ? Agreement::equal
         : is_near(found, expected, type) ? Agreement::near
                                          : Agreement::none;
}

/// Whichever of two that give the same is faster.
std::function<void()> faster_product(const StepParts& parts, std::function<void()> own,
                                     std::function<void()> library) {
  struct Competition {
    std::vector<std::function<void()>> runs;
    KernelTrials trials;
  };
  const ValueMemory& to = parts.destination;
  const std::string task =
      concat("inference, ", to.value.shape.n, " images, threads: ", openmp_threads(), ", types ",
             static_cast<int>(parts.sources[0].value.type), " to ", static_cast<int>(to.value.type),
             parts.step.residual >= 0 ? " with a residual, " : ", ",
             text_of(forward_product(parts.step.product.geometry)));
  const auto both = std::make_shared<Competition>(
      Competition{{std::move(own), std::move(library)}, KernelTrials(task, {"own", "oneDNN"})});
  if (both->trials.is_decided()) {
    return both->runs[both->trials.next()];
  }
  return [both] {
    const std::size_t kernel = both->trials.next();
    if (both->trials.is_decided()) {
      return both->runs[kernel]();
    }
    const Stopwatch watch;
    both->runs[kernel]();
    onednn::stream().wait();
    both->trials.ran(watch.seconds());
    if (both->trials.is_decided()) {
      both->runs[1 - both->trials.next()] = nullptr;
    }
  };
}

}  // namespace

std::function<void()> checked_product(const StepParts& parts,
                                      const std::function<std::function<void()>()>& make_library) {
  const FoldedProduct& product = parts.step.product;
  if (product.integer && !may_be_equal(parts)) {
    return own_product(parts);
  }
  std::function<void()> library = make_library();
  const Agreement found = agreement(parts, library);
  if (found == Agreement::none) {
    log_wrong_library(window_of(product, parts.destination.value.shape.n));
  }
  if (!product.integer) {
    return found == Agreement::none ? own_product(parts) : library;
  }
  return found == Agreement::equal ? faster_product(parts, own_product(parts), std::move(library))
                                   : own_product(parts);
}

}  // namespace adapt
