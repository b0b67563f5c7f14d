#include "nn/trusted_product.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <map>
#include <mutex>
#include <numeric>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/fault.hpp"
#include "base/log.hpp"
#include "nn/guarded_memory.hpp"
#include "nn/onednn.hpp"
#include "numerics/random.hpp"

namespace adapt {
namespace {

using dnnl::memory;

/// Images differ from one to the next, and are the same again after so many.
constexpr std::size_t kImages = 4;

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

/// An activation (N, H, W, C) that is a pixel's number times a channel's: what a product sums over channels
/// is then known without doing it for each pixel.
struct KnownActivation {
  KnownActivation(RandomSequence& random, const Shape& map)
      : shape(map),
        channels(small_integers(random, static_cast<std::size_t>(map.c), 2)),
        pixels(small_integers(random, kImages * pixels_of(map), 2)) {}

  [[nodiscard]] const float* image(std::size_t n) const { return pixels.data() + n * pixels_of(shape); }
  [[nodiscard]] std::vector<float> values() const {
    std::vector<float> all;
    all.reserve(static_cast<std::size_t>(shape.elements()));
    for (std::size_t n = 0; n < static_cast<std::size_t>(shape.n); ++n) {
      for (std::size_t pixel = 0; pixel < pixels_of(shape); ++pixel) {
        for (const float channel : channels) {
          all.push_back(image(n % kImages)[pixel] * channel);
        }
      }
    }
    return all;
  }

  Shape shape;
  std::vector<float> channels;
  std::vector<float> pixels;  // (kImages, H, W)
};

/// The operands and results of all three products of a layer. Sums stay far below 2^24, where float32 ceases
/// to be exact: their terms are of either sign, as often.
class KnownLayer {
 public:
  explicit KnownLayer(const WindowProduct& layer)
      : layer_(layer),
        random_({.seed = 1}),
        inputs_(static_cast<std::size_t>(layer.source.c)),
        outputs_(static_cast<std::size_t>(layer.destination.c)),
        taps_(static_cast<std::size_t>(layer.kernel * layer.kernel)),
        source_(random_, layer.source),
        gradient_(random_, layer.destination),
        weights_(small_integers(random_, outputs_ * inputs_ * taps_, 1)),
        bias_(small_integers(random_, outputs_, 2)) {}

  [[nodiscard]] std::vector<float> source() const { return source_.values(); }
  [[nodiscard]] std::vector<float> destination_gradient() const { return gradient_.values(); }
  [[nodiscard]] const std::vector<float>& weights() const { return weights_; }  ///< (O, I, KH, KW)
  [[nodiscard]] const std::vector<float>& bias() const { return bias_; }

  [[nodiscard]] std::vector<float> destination(bool with_bias) const {
    std::vector<float> by_tap(taps_ * outputs_);
    for_each_weight([&](std::size_t o, std::size_t i, std::size_t tap, float weight) {
      by_tap[tap * outputs_ + o] += source_.channels[i] * weight;
    });
    return window_sums(layer_, source_, by_tap, with_bias ? bias_ : std::vector<float>(outputs_));
  }

  [[nodiscard]] std::vector<float> source_gradient() const {
    std::vector<float> by_tap(taps_ * inputs_);
    for_each_weight([&](std::size_t o, std::size_t i, std::size_t tap, float weight) {
      by_tap[tap * inputs_ + i] += gradient_.channels[o] * weight;
    });
    WindowProduct back = layer_;
    std::swap(back.source, back.destination);
    back.transposed = true;
    return window_sums(back, gradient_, by_tap, std::vector<float>(inputs_));
  }

  [[nodiscard]] std::vector<float> weight_gradient() const {
    std::vector<float> by_tap(taps_);
    for (std::size_t n = 0; n < kImages; ++n) {
      for (std::size_t tap = 0; tap < taps_; ++tap) {
        float sum = 0;
        for_each_place(layer_, tap, [&](std::size_t to, std::size_t from) {
          sum += gradient_.image(n)[to] * source_.image(n)[from];
        });
        by_tap[tap] += sum * images_like(n);
      }
    }
    std::vector<float> all;
    for (const float o : gradient_.channels) {
      for (const float i : source_.channels) {
        std::transform(by_tap.begin(), by_tap.end(), std::back_inserter(all),
                       [&](float sum) { return o * i * sum; });
      }
    }
    return all;
  }

  [[nodiscard]] std::vector<float> bias_gradient() const {
    float sum = 0;
    for (std::size_t n = 0; n < kImages; ++n) {
      const float* const image = gradient_.image(n);
      sum += images_like(n) * std::accumulate(image, image + pixels_of(layer_.destination), 0.0F);
    }
    std::vector<float> all = gradient_.channels;
    std::for_each(all.begin(), all.end(), [&](float& channel) { channel *= sum; });
    return all;
  }

 private:
  template <class Use>
  void for_each_weight(Use&& use) const {
    const float* weight = weights_.data();
    for (std::size_t o = 0; o < outputs_; ++o) {
      for (std::size_t i = 0; i < inputs_; ++i) {
        for (std::size_t tap = 0; tap < taps_; ++tap) {
          use(o, i, tap, *weight++);
        }
      }
    }
  }

  /// The pixels of destination and source that weight `tap` joins.
  template <class Use>
  static void for_each_place(const WindowProduct& product, std::size_t tap, Use&& use) {
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

  /// `by_tap` (taps, channels) is what a pixel of 1 adds to a sum.
  static std::vector<float> window_sums(const WindowProduct& product, const KnownActivation& source,
                                        const std::vector<float>& by_tap, const std::vector<float>& first) {
    const std::size_t channels = first.size();
    const std::size_t size = pixels_of(product.destination) * channels;
    const auto images = static_cast<std::size_t>(product.destination.n);
    std::vector<float> all(images * size);
    for (std::size_t n = 0; n < std::min(images, kImages); ++n) {
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
    for (std::size_t n = kImages; n < images; ++n) {
      std::copy_n(all.data() + n % kImages * size, size, all.data() + n * size);
    }
    return all;
  }

  /// How many images of the batch are the same as image `n`.
  [[nodiscard]] float images_like(std::size_t n) const {
    const auto images = static_cast<std::size_t>(layer_.source.n);
    return static_cast<float>((images + kImages - 1 - n) / kImages);
  }

  const WindowProduct& layer_;
  RandomSequence random_;
  std::size_t inputs_;
  std::size_t outputs_;
  std::size_t taps_;
  KnownActivation source_;
  KnownActivation gradient_;
  std::vector<float> weights_;
  std::vector<float> bias_;
};

/// What goes into an argument of a primitive, or has to come out of it.
struct Operand {
  int argument;
  std::vector<float> values;  // row-major, of activations channels last
  bool is_result = false;
};

std::vector<Operand> operands_of(ProductRole role, const KnownLayer& known, bool has_bias) {
  std::vector<Operand> operands;
  switch (role) {
    case ProductRole::forward:
      operands = {{DNNL_ARG_SRC, known.source()},
                  {DNNL_ARG_WEIGHTS, known.weights()},
                  {DNNL_ARG_DST, known.destination(has_bias), /*is_result=*/true}};
      if (has_bias) {
        operands.push_back({DNNL_ARG_BIAS, known.bias()});
      }
      break;
    case ProductRole::data_gradient:
      operands = {{DNNL_ARG_DIFF_DST, known.destination_gradient()},
                  {DNNL_ARG_WEIGHTS, known.weights()},
                  {DNNL_ARG_DIFF_SRC, known.source_gradient(), /*is_result=*/true}};
      break;
    case ProductRole::weight_gradient:
      operands = {{DNNL_ARG_DIFF_DST, known.destination_gradient()},
                  {DNNL_ARG_SRC, known.source()},
                  {DNNL_ARG_DIFF_WEIGHTS, known.weight_gradient(), /*is_result=*/true}};
      if (has_bias) {
        operands.push_back({DNNL_ARG_DIFF_BIAS, known.bias_gradient(), /*is_result=*/true});
      }
      break;
  }
  return operands;
}

memory::desc layout_of(const dnnl::primitive_desc& product, int argument) {
  return product.query_md(dnnl::query::exec_arg_md, argument);
}

bool has_bias(const dnnl::primitive_desc& product, ProductRole role) {
  switch (role) {
    case ProductRole::forward:
      return layout_of(product, DNNL_ARG_BIAS).get_size() > 0;
    case ProductRole::data_gradient:
      return false;
    case ProductRole::weight_gradient:
      return layout_of(product, DNNL_ARG_DIFF_BIAS).get_size() > 0;
  }
  return false;
}

/// Float32 numbers in the order of an Operand.
memory::desc in_order(const Operand& operand, const memory::desc& layout) {
  const memory::dims dims = onednn::dims_of(layout);
  const bool is_weight = operand.argument == DNNL_ARG_WEIGHTS || operand.argument == DNNL_ARG_DIFF_WEIGHTS;
  return dims.size() == 4 && !is_weight ? memory::desc(dims, memory::data_type::f32, memory::format_tag::nhwc)
                                        : onednn::plain(dims);
}

/// Sums are exact in float32, and rounded once where the result is bfloat16.
bool equals(const std::vector<float>& found, const std::vector<float>& expected, memory::data_type type) {
  const float tolerance = type == memory::data_type::f32 ? 0.0F : 1.0F / 256;
  return std::equal(found.begin(), found.end(), expected.begin(), expected.end(),
                    [&](float a, float b) { return std::abs(a - b) <= tolerance * std::abs(b); });
}

bool gives_known_answer(const dnnl::primitive_desc& product, std::vector<Operand> operands) {
  std::vector<GuardedMemory> tensors;
  tensors.reserve(operands.size() + 1);
  onednn::Arguments arguments;
  for (Operand& operand : operands) {
    const memory::desc layout = layout_of(product, operand.argument);
    const memory& tensor = tensors.emplace_back(layout).get();
    arguments.emplace(operand.argument, tensor);
    if (!operand.is_result) {
      onednn::reorder({in_order(operand, layout), onednn::engine(), operand.values.data()}, tensor);
    }
  }
  const GuardedMemory& scratchpad = tensors.emplace_back(product.scratchpad_desc());
  arguments.emplace(DNNL_ARG_SCRATCHPAD, scratchpad.get());
  onednn::run(dnnl::primitive(product.get()), arguments);
  for (const Operand& operand : operands) {
    const memory::desc layout = layout_of(product, operand.argument);
    std::vector<float> found(operand.values.size());
    onednn::reorder(arguments.at(operand.argument),
                    {in_order(operand, layout), onednn::engine(), found.data()});
    if (operand.is_result && !equals(found, operand.values, onednn::type_of(layout))) {
      return false;
    }
  }
  return std::all_of(tensors.begin(), tensors.end(), [](const GuardedMemory& m) { return m.is_intact(); });
}

const char* name_of(ProductRole role) {
  switch (role) {
    case ProductRole::forward:
      return "forward pass";
    case ProductRole::data_gradient:
      return "data gradient";
    case ProductRole::weight_gradient:
      return "weight gradient";
  }
  return "";
}

std::string words_of(ProductRole role, const WindowProduct& layer) {
  const auto& [in, out, kernel, stride, padding, transposed] = layer;
  return concat("oneDNN ", onednn::version(), " (", onednn::instruction_set(), ") computes a wrong ",
                name_of(role), " of ", in.c, " to ", out.c, " channels, ", in.h, "x", in.w, " to ", out.h,
                "x", out.w, ", kernel ", kernel, ", stride ", stride, ", padding ", padding, ", ", in.n,
                " images");
}

void log_wrong_implementation(const dnnl::primitive_desc& product, ProductRole role,
                              const WindowProduct& layer) {
  static const bool logged = [&] {
    log_warning(concat(words_of(role, layer), " by its implementation ", product.impl_info_str(),
                       "; where one is wrong, another is taken"));
    return true;
  }();
  static_cast<void>(logged);
}

using Key = std::tuple<std::string, ProductRole, std::array<int, 10>, bool, memory::data_type>;

Key key_of(const dnnl::primitive_desc& product, ProductRole role, const WindowProduct& layer) {
  const auto& [in, out, kernel, stride, padding, transposed] = layer;
  const memory::desc operand =
      layout_of(product, role == ProductRole::data_gradient ? DNNL_ARG_WEIGHTS : DNNL_ARG_SRC);
  return {product.impl_info_str(),
          role,
          {in.n, in.c, in.h, in.w, out.c, out.h, out.w, kernel, stride, padding},
          has_bias(product, role),
          onednn::type_of(operand)};
}

}  // namespace

void trust(dnnl::primitive_desc& product, ProductRole role, const WindowProduct& layer) {
  static std::map<Key, bool> answers;
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  std::optional<KnownLayer> known;
  bool is_first = true;
  do {
    const auto [answer, is_new] = answers.try_emplace(key_of(product, role, layer), false);
    if (is_new) {
      if (!known) {
        known.emplace(layer);
      }
      answer->second = gives_known_answer(product, operands_of(role, *known, has_bias(product, role))) &&
                       !(is_first && fault::falsifies("trusted_product"));
    }
    if (answer->second) {
      return;
    }
    log_wrong_implementation(product, role, layer);
    is_first = false;
  } while (product.next_impl());
  throw Failure(concat(words_of(role, layer),
                       " by each of its implementations; expected a oneDNN that is right: "
                       "another version, or another instruction set by ONEDNN_MAX_CPU_ISA"));
}

}  // namespace adapt
