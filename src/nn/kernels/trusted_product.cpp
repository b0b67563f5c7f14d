#include "nn/kernels/trusted_product.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <mutex>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "base/error.hpp"
#include "base/fault.hpp"
#include "base/log.hpp"
#include "nn/kernels/bfloat16.hpp"
#include "nn/kernels/guarded_memory.hpp"
#include "nn/kernels/known_layer.hpp"
#include "nn/kernels/onednn.hpp"
#include "nn/kernels/trusted_packing.hpp"

namespace adapt {
namespace {

using dnnl::memory;

/// What goes into an argument of a primitive, or has to come out of it.
struct Operand {
  int argument;
  std::vector<float> values;  // row-major; of activations KnownLayer::kImages images, channels last
  bool is_result = false;

  [[nodiscard]] bool is_parameter() const {
    return argument == DNNL_ARG_WEIGHTS || argument == DNNL_ARG_DIFF_WEIGHTS || argument == DNNL_ARG_BIAS ||
           argument == DNNL_ARG_DIFF_BIAS;
  }
  /// What becomes of the numbers in a repetition of the images.
  [[nodiscard]] float sign(std::size_t repetition) const {
    const bool is_gradient = argument == DNNL_ARG_DIFF_DST || argument == DNNL_ARG_DIFF_SRC;
    return is_gradient ? KnownLayer::gradient_sign(repetition) : 1.0F;
  }
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

// Sums are exact in float32, and rounded once where the result is bfloat16. Small integers are the same in
// both.

bool is_result(float found, float expected) { return found == expected; }
bool is_result(std::uint16_t found, float expected) {
  return std::abs(from_bfloat16(found) - expected) <= std::abs(expected) / 256;
}
void store(float number, float& to) { to = number; }
void store(float number, std::uint16_t& to) { to = to_bfloat16(number); }

/// Numbers of a tensor, all of its images.
std::size_t size_of(const memory::desc& layout) {
  const memory::dims dims = onednn::dims_of(layout);
  return std::accumulate(dims.begin(), dims.end(), std::size_t{1}, [](std::size_t size, memory::dim dim) {
    return size * static_cast<std::size_t>(dim);
  });
}

/// use(numbers, values, sign) for each repetition of the images in the activation `numbers`.
template <class Number, class Use>
bool for_all_repetitions(const Operand& operand, std::span<Number> numbers, Use&& use) {
  const std::size_t length = operand.values.size();
  bool all = true;
  for (std::size_t first = 0; first < numbers.size() && all; first += length) {
    all = use(numbers.subspan(first, std::min(length, numbers.size() - first)), operand.sign(first / length));
  }
  return all;
}

template <class Number>
void fill(const Operand& operand, std::span<Number> numbers) {
  for_all_repetitions(operand, numbers, [&](std::span<Number> some, float sign) {
    for (std::size_t i = 0; i < some.size(); ++i) {
      store(sign * operand.values[i], some[i]);
    }
    return true;
  });
}

template <class Number>
bool equals(const Operand& operand, std::span<Number> numbers) {
  return for_all_repetitions(operand, numbers, [&](std::span<Number> some, float sign) {
    bool all = true;
    for (std::size_t i = 0; i < some.size(); ++i) {
      all &= is_result(some[i], sign * operand.values[i]);
    }
    return all;
  });
}

/// The numbers of an activation, which is dense, as `use` wants them.
template <class Use>
auto in_type(const memory& tensor, const memory::desc& layout, Use&& use) {
  void* const data = tensor.get_data_handle();
  return onednn::type_of(layout) == memory::data_type::f32
             ? use(std::span(static_cast<float*>(data), size_of(layout)))
             : use(std::span(static_cast<std::uint16_t*>(data), size_of(layout)));
}

// Activations, which may be large, are written and read where they stand; parameters have a layout of their
// own.

void set_operand(Operand& operand, const memory::desc& layout, const memory& tensor) {
  if (operand.is_parameter()) {
    pack({onednn::plain(onednn::dims_of(layout)), onednn::engine(), operand.values.data()}, tensor);
  } else {
    in_type(tensor, layout, [&](auto numbers) { fill(operand, numbers); });
  }
}

bool has_result(const Operand& operand, const memory::desc& layout, const memory& tensor) {
  if (!operand.is_parameter()) {
    return in_type(tensor, layout, [&](auto numbers) { return equals(operand, numbers); });
  }
  std::vector<float> found(operand.values.size());
  onednn::reorder(tensor, {onednn::plain(onednn::dims_of(layout)), onednn::engine(), found.data()});
  return found == operand.values;
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
      set_operand(operand, layout, tensor);
    }
  }
  const GuardedMemory& scratchpad = tensors.emplace_back(product.scratchpad_desc());
  arguments.emplace(DNNL_ARG_SCRATCHPAD, scratchpad.get());
  onednn::run(dnnl::primitive(product.get()), arguments);
  for (const Operand& operand : operands) {
    if (operand.is_result &&
        !has_result(operand, layout_of(product, operand.argument), arguments.at(operand.argument))) {
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
  return concat("oneDNN ", onednn::version(), " (", onednn::instruction_set(), ") computes a wrong ",
                name_of(role), " of ", text_of(layer), ", ", layer.source.n, " images");
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

using Key = std::tuple<std::string, ProductRole, WindowProduct::Key, bool, memory::data_type>;

Key key_of(const dnnl::primitive_desc& product, ProductRole role, const WindowProduct& layer) {
  const memory::desc operand =
      layout_of(product, role == ProductRole::data_gradient ? DNNL_ARG_WEIGHTS : DNNL_ARG_SRC);
  return {product.impl_info_str(), role, layer.key(), has_bias(product, role), onednn::type_of(operand)};
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
