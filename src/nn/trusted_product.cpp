#include "nn/trusted_product.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <map>
#include <mutex>
#include <numeric>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "base/error.hpp"
#include "base/fault.hpp"
#include "base/log.hpp"
#include "nn/guarded_memory.hpp"
#include "nn/known_layer.hpp"
#include "nn/onednn.hpp"

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
  /// Number `i` of an activation.
  [[nodiscard]] float at(std::size_t i) const {
    const bool is_gradient = argument == DNNL_ARG_DIFF_DST || argument == DNNL_ARG_DIFF_SRC;
    const float sign = is_gradient ? KnownLayer::gradient_sign(i / values.size()) : 1.0F;
    return sign * values[i % values.size()];
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

/// Sums are exact in float32, and rounded once where the result is bfloat16.
bool is_equal(float found, float expected, memory::data_type type) {
  const float tolerance = type == memory::data_type::f32 ? 0.0F : 1.0F / 256;
  return std::abs(found - expected) <= tolerance * std::abs(expected);
}

/// Number `i` of a dense tensor. Small integers are the same in bfloat16.
float number_at(const memory& tensor, memory::data_type type, std::size_t i) {
  const void* const data = tensor.get_data_handle();
  return type == memory::data_type::f32
             ? static_cast<const float*>(data)[i]
             : std::bit_cast<float>(std::uint32_t{static_cast<const std::uint16_t*>(data)[i]} << 16);
}

void set_number(const memory& tensor, memory::data_type type, std::size_t i, float number) {
  void* const data = tensor.get_data_handle();
  if (type == memory::data_type::f32) {
    static_cast<float*>(data)[i] = number;
  } else {
    static_cast<std::uint16_t*>(data)[i] =
        static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(number) >> 16);
  }
}

/// Numbers of a tensor, all of its images.
std::size_t size_of(const memory::desc& layout) {
  const memory::dims dims = onednn::dims_of(layout);
  return std::accumulate(dims.begin(), dims.end(), std::size_t{1}, [](std::size_t size, memory::dim dim) {
    return size * static_cast<std::size_t>(dim);
  });
}

// Activations, which may be large, are written and read where they stand; parameters have a layout of their
// own.

void set_operand(Operand& operand, const memory::desc& layout, const memory& tensor) {
  if (operand.is_parameter()) {
    onednn::reorder({onednn::plain(onednn::dims_of(layout)), onednn::engine(), operand.values.data()},
                    tensor);
    return;
  }
  for (std::size_t i = 0; i < size_of(layout); ++i) {
    set_number(tensor, onednn::type_of(layout), i, operand.at(i));
  }
}

bool has_result(const Operand& operand, const memory::desc& layout, const memory& tensor) {
  const memory::data_type type = onednn::type_of(layout);
  if (operand.is_parameter()) {
    std::vector<float> found(operand.values.size());
    onednn::reorder(tensor, {onednn::plain(onednn::dims_of(layout)), onednn::engine(), found.data()});
    return std::equal(found.begin(), found.end(), operand.values.begin(),
                      [&](float a, float b) { return is_equal(a, b, type); });
  }
  for (std::size_t i = 0; i < size_of(layout); ++i) {
    if (!is_equal(number_at(tensor, type, i), operand.at(i), type)) {
      return false;
    }
  }
  return true;
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
