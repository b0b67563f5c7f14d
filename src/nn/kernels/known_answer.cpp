#include "nn/kernels/known_answer.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <mutex>

#include "base/aligned.hpp"
#include "base/error.hpp"
#include "base/fault.hpp"
#include "base/log.hpp"
#include "nn/kernels/onednn.hpp"
#include "numerics/random.hpp"

namespace adapt {
namespace {

/// Kinds of pixels, and of weights by output channel: least bytes, greatest bytes, both, anything.
constexpr std::size_t kKinds = 4;

/// Random bits, cheap ones.
class Bits {
 public:
  explicit Bits(std::uint64_t seed) : sequence_({.seed = seed}) {
    std::generate(table_.begin(), table_.end(), [this] { return sequence_.bits(); });
  }
  std::uint32_t next() { return table_[place_ = (place_ + 1) % table_.size()]; }
  std::int8_t byte(std::size_t kind) {
    switch (kind) {
      case 0:
        return -128;
      case 1:
        return 127;
      case 2:
        return next() % 2 == 0 ? -128 : 127;
      default:
        return static_cast<std::int8_t>(next() % 256);
    }
  }

 private:
  RandomSequence sequence_;
  std::array<std::uint32_t, 4093> table_ = {};  // a prime, so that rows of weights differ
  std::size_t place_ = 0;
};

/// Operands of which the sums are known cheaply: pixels of a few kinds, so that what a window sums at a tap
/// is one of a few numbers. From one image to the next each pixel goes through all kinds.
class KnownProduct {
 public:
  /// The kinds of pixels and of weights begin with these.
  KnownProduct(const WindowProduct& product, std::size_t pixel_kind, std::size_t weight_kind)
      : product_(product),
        inputs_(static_cast<std::size_t>(product.source.c)),
        group_inputs_(static_cast<std::size_t>(product.group_inputs())),
        group_outputs_(static_cast<std::size_t>(product.group_outputs())),
        outputs_(static_cast<std::size_t>(product.destination.c)),
        area_(static_cast<std::size_t>(product.kernel * product.kernel)) {
    Bits bits(weight_kind);
    for (std::size_t kind = 0; kind < kKinds; ++kind) {
      std::generate_n(std::back_inserter(pixels_), inputs_, [&] { return bits.byte(kind); });
    }
    kinds_.resize(static_cast<std::size_t>(product.source.h * product.source.w));
    std::generate(kinds_.begin(), kinds_.end(), [&] { return bits.next() % kKinds + pixel_kind; });
    draw_weights(bits, weight_kind);
    sum_taps();
  }

  [[nodiscard]] const std::vector<std::int8_t>& weights() const { return weights_; }

  [[nodiscard]] AlignedVector<std::int8_t> source() const {
    AlignedVector<std::int8_t> all;
    all.reserve(static_cast<std::size_t>(product_.source.elements()));
    for (std::size_t n = 0; n < static_cast<std::size_t>(product_.source.n); ++n) {
      for (const std::size_t kind : kinds_) {
        const auto pixel = pixels_.begin() + static_cast<std::ptrdiff_t>((kind + n) % kKinds * inputs_);
        all.insert(all.end(), pixel, pixel + static_cast<std::ptrdiff_t>(inputs_));
      }
    }
    return all;
  }

  /// The sums of an image.
  [[nodiscard]] std::vector<std::int32_t> sums(std::size_t image) const {
    const Shape& in = product_.source;
    const Shape& out = product_.destination;
    std::vector<std::int32_t> all(static_cast<std::size_t>(out.h * out.w) * outputs_);
    std::int32_t* to = all.data();
    for (int y = 0; y < out.h; ++y) {
      for (int x = 0; x < out.w; ++x, to += outputs_) {
        for (int tap = 0; tap < static_cast<int>(area_); ++tap) {
          const int source_y = product_.source_of(y, tap / product_.kernel, in.h);
          const int source_x = product_.source_of(x, tap % product_.kernel, in.w);
          if (source_y < 0 || source_x < 0) {
            continue;
          }
          const std::size_t pixel = static_cast<std::size_t>(source_y * in.w + source_x);
          const std::size_t kind = (kinds_[pixel] + image) % kKinds;
          const std::int32_t* const from =
              tap_sums_.data() + (kind * area_ + static_cast<std::size_t>(tap)) * outputs_;
          for (std::size_t o = 0; o < outputs_; ++o) {
            to[o] += from[o];
          }
        }
      }
    }
    return all;
  }

 private:
  /// Of each channel runs of as many weights as keep its sums exact in the library, the others zero.
  void draw_weights(Bits& bits, std::size_t first_kind) {
    constexpr std::size_t kRun = 16;
    constexpr std::size_t kMost = LibraryProduct::kExactSums / (128 * 128) - 2 * kRun - 1;
    const std::size_t distance = (product_.terms() + kMost - 1) / kMost;
    weights_.reserve(outputs_ * product_.terms());
    for (std::size_t o = 0; o < outputs_; ++o) {
      for (std::size_t term = 0; term < product_.terms(); ++term) {
        const bool counts = (term / kRun + o) % distance == 0;
        weights_.push_back(counts ? bits.byte((o + first_kind) % kKinds) : std::int8_t{0});
      }
    }
  }

  void sum_taps() {
    tap_sums_.resize(kKinds * area_ * outputs_);
    for (std::size_t kind = 0; kind < kKinds; ++kind) {
      const std::int8_t* weight = weights_.data();
      for (std::size_t o = 0; o < outputs_; ++o) {
        const std::size_t first = o / group_outputs_ * group_inputs_;
        for (std::size_t i = first; i < first + group_inputs_; ++i) {
          for (std::size_t tap = 0; tap < area_; ++tap) {
            tap_sums_[(kind * area_ + tap) * outputs_ + o] += pixels_[kind * inputs_ + i] * *weight++;
          }
        }
      }
    }
  }

  const WindowProduct& product_;
  std::size_t inputs_;
  std::size_t group_inputs_;
  std::size_t group_outputs_;
  std::size_t outputs_;
  std::size_t area_;
  std::vector<std::int8_t> pixels_;     // (kinds, I)
  std::vector<std::size_t> kinds_;      // (h, w) of an image
  std::vector<std::int8_t> weights_;    // (O, I / groups, KH, KW)
  std::vector<std::int32_t> tap_sums_;  // (kinds, KH · KW, O): over the channels of a pixel
};

bool equals_loops(const WindowProduct& product, LibraryProduct& library, const KnownProduct& known) {
  constexpr std::ptrdiff_t kMargin = 1024;  // which the library must leave alone
  AlignedVector<std::int32_t> found(static_cast<std::size_t>(product.destination.elements() + kMargin), -1);
  library.set_weights(known.weights());
  if (!library.stays_within_bounds(known.source().data(), found.data()) ||
      std::any_of(found.end() - kMargin, found.end(), [](std::int32_t sum) { return sum != -1; })) {
    return false;
  }
  if (fault::falsifies("known_answer")) {
    found.front() += 1;
  }
  const auto images = static_cast<std::size_t>(product.destination.n);
  std::vector<std::vector<std::int32_t>> expected;
  for (std::size_t image = 0; image < std::min(images, kKinds); ++image) {
    expected.push_back(known.sums(image));
  }
  for (std::size_t image = 0; image < images; ++image) {
    const std::vector<std::int32_t>& sums = expected[image % kKinds];
    const auto first = found.begin() + static_cast<std::ptrdiff_t>(image * sums.size());
    if (!std::equal(sums.begin(), sums.end(), first)) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool gives_known_answer(const WindowProduct& product, LibraryProduct& library) {
  // Each kind of pixel meets each kind of weight, also where there are fewer images or channels than kinds.
  const auto images = static_cast<std::size_t>(product.source.n);
  const auto outputs = static_cast<std::size_t>(product.destination.c);
  for (std::size_t pixel = 0; pixel < kKinds; pixel += images) {
    for (std::size_t weight = 0; weight < kKinds; weight += outputs) {
      if (!equals_loops(product, library, KnownProduct(product, pixel, weight))) {
        return false;
      }
    }
  }
  return true;
}

bool is_right_here(const WindowProduct& product, LibraryProduct& library) {
  static std::map<WindowProduct::Key, bool> answers;
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  const auto [answer, is_new] = answers.try_emplace(product.key(), false);
  if (is_new) {
    answer->second = gives_known_answer(product, library);
    if (!answer->second) {
      log_wrong_library(product);
    }
  }
  return answer->second;
}

void log_wrong_library(const WindowProduct& product) {
  static const bool logged = [&] {
    log_warning(concat("oneDNN ", onednn::version(), " (", onednn::instruction_set(),
                       ") gives wrong sums of products for ", text_of(product),
                       "; where it does, products run in adapt's own code, right but slower"));
    return true;
  }();
  static_cast<void>(logged);
}

}  // namespace adapt
