#include "nn/kernels/onednn.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <tuple>
#include <utility>

#include "base/aligned.hpp"
#include "base/error.hpp"

namespace adapt::onednn {
namespace {

using dnnl::memory;
using dnnl::prop_kind;

prop_kind kind(bool training) {
  return training ? prop_kind::forward_training : prop_kind::forward_inference;
}

dnnl::normalization_flags normalization_flags(bool training) {
  const auto flags = dnnl::normalization_flags::use_scale | dnnl::normalization_flags::use_shift;
  return training ? flags : flags | dnnl::normalization_flags::use_global_stats;
}

/// Builds the descriptor of `Primitive` from the arguments that both generations share, in the order of
/// either. `hints` is the forward descriptor of a backward primitive, or nothing.
template <class Primitive, class... Hints>
auto describe(const Hints&... hints) {
  return [&hints...](const auto&... arguments) {
#if DNNL_VERSION_MAJOR >= 3
    return typename Primitive::primitive_desc(engine(), arguments..., hints...);
#else
    return typename Primitive::primitive_desc(typename Primitive::desc(arguments...), engine(), hints...);
#endif
  };
}

/// The same for a product, which has attributes, and other implementations after the first.
template <class Primitive, class... Hints>
auto describe_with(const dnnl::primitive_attr& attributes, const Hints&... hints) {
  return [&attributes, &hints...](const auto&... arguments) {
    const auto kept_hints = std::make_shared<std::tuple<Hints...>>(hints...);
#if DNNL_VERSION_MAJOR >= 3
    return Description<Primitive>(kept_hints, engine(), arguments..., hints..., attributes);
#else
    using Operation = typename Primitive::desc;
    const auto kept =
        std::make_shared<std::pair<Operation, decltype(kept_hints)>>(Operation(arguments...), kept_hints);
    return Description<Primitive>(kept, kept->first, attributes, engine(), hints...);
#endif
  };
}

/// The same for products that work in a scratchpad that they are given.
template <class Primitive, class... Hints>
auto describe_product(const Hints&... hints) {
  static const dnnl::primitive_attr with_scratchpad = [] {
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    return attributes;
  }();
  return describe_with<Primitive>(with_scratchpad, hints...);
}

void append_activation(dnnl::post_ops& operations, dnnl::algorithm algorithm, float alpha, float beta) {
#if DNNL_VERSION_MAJOR >= 3
  operations.append_eltwise(algorithm, alpha, beta);
#else
  operations.append_eltwise(1.0F, algorithm, alpha, beta);
#endif
}

dnnl::primitive_attr attributes_of(const Epilogue& epilogue, [[maybe_unused]] const ProductShapes& shapes) {
  dnnl::post_ops operations;
  if (epilogue.residual_factor) {
    operations.append_sum(*epilogue.residual_factor, 0, epilogue.residual_type);
  }
  if (epilogue.activation) {
    append_activation(operations, *epilogue.activation, 0, 0);
  }
  if (epilogue.output_factor != 1) {
    append_activation(operations, dnnl::algorithm::eltwise_linear, epilogue.output_factor, 0);
  }
  dnnl::primitive_attr attributes;
  attributes.set_post_ops(operations);
  if (!epilogue.factors.empty()) {
#if DNNL_VERSION_MAJOR >= 3
    // By output channel: the weights' first dimension, or with groups the first two of five.
    constexpr std::size_t kGrouped = 5;
    attributes.set_scales_mask(DNNL_ARG_WEIGHTS, dims_of(shapes.weights).size() == kGrouped ? 0b11 : 0b1);
#else
    attributes.set_output_scales(1 << 1, epilogue.factors);  // the destination's second dimension
#endif
  }
  return attributes;
}

/// The bias that stands for the addends: 3.x adds it after it has scaled.
std::vector<float> bias_values(const Epilogue& epilogue) {
  std::vector<float> values = epilogue.addends;
#if DNNL_VERSION_MAJOR >= 3
  for (std::size_t c = 0; c < epilogue.factors.size(); ++c) {
    values[c] *= epilogue.factors[c];
  }
#endif
  return values;
}

/// Instruction sets are sets of bits: a newer one holds those of the older ones that it extends.
bool effective_set_holds(dnnl::cpu_isa wanted) {
  const auto effective = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
  return (effective & static_cast<unsigned>(wanted)) == static_cast<unsigned>(wanted);
}

memory owned_vector(const std::vector<float>& values) {
  const memory vector(plain({static_cast<memory::dim>(values.size())}), engine());
  std::copy(values.begin(), values.end(), static_cast<float*>(vector.get_data_handle()));
  return vector;
}

ProductShapes with_bias(ProductShapes shapes, const Epilogue& epilogue) {
  shapes.bias = plain({static_cast<memory::dim>(epilogue.addends.size())});
  return shapes;
}

/// Runs `call` and turns oneDNN's exception into ours, with the name of what was asked for.
template <class Call>
auto checked(const char* what, Call&& call) {
  try {
    return call();
  } catch (const dnnl::error& error) {
    throw Failure(concat("oneDNN ", version(), " refused ", what, ": ", error.what()));
  }
}

}  // namespace

const dnnl::engine& engine() {
  static const dnnl::engine instance(dnnl::engine::kind::cpu, 0);
  return instance;
}

dnnl::stream& stream() {
  thread_local dnnl::stream instance(engine());
  return instance;
}

std::string version() {
  const dnnl_version_t* const numbers = dnnl_version();
  return concat(numbers->major, '.', numbers->minor, '.', numbers->patch);
}

std::string instruction_set() {
  constexpr std::pair<dnnl::cpu_isa, const char*> kNames[] = {
    {dnnl::cpu_isa::sse41, "sse41"},
    {dnnl::cpu_isa::avx, "avx"},
    {dnnl::cpu_isa::avx2, "avx2"},
    {dnnl::cpu_isa::avx2_vnni, "avx2_vnni"},
    {dnnl::cpu_isa::avx512_core, "avx512_core"},
    {dnnl::cpu_isa::avx512_core_vnni, "avx512_core_vnni"},
    {dnnl::cpu_isa::avx512_core_bf16, "avx512_core_bf16"},
    {dnnl::cpu_isa::avx512_core_amx, "avx512_core_amx"},
#if DNNL_VERSION_MAJOR >= 3
    {dnnl::cpu_isa::avx2_vnni_2, "avx2_vnni_2"},
    {dnnl::cpu_isa::avx512_core_fp16, "avx512_core_fp16"},
    {dnnl::cpu_isa::avx512_core_amx_fp16, "avx512_core_amx_fp16"},
#endif
  };
  const dnnl::cpu_isa effective = dnnl::get_effective_cpu_isa();
  const auto* const name =
      std::ranges::find(kNames, effective, &std::pair<dnnl::cpu_isa, const char*>::first);
  return name == std::end(kNames) ? concat("isa_", static_cast<int>(effective)) : name->second;
}

memory::desc scratchpad_of(const dnnl::primitive& primitive) {
#if DNNL_VERSION_MAJOR >= 3
  const auto* const original =
      dnnl_primitive_desc_query_md(primitive.get_primitive_desc(), dnnl_query_scratchpad_md, 0);
  dnnl_memory_desc_t copy = nullptr;
  if (original == nullptr || dnnl_memory_desc_clone(&copy, original) != dnnl_success) {
    return {};
  }
  return memory::desc(copy);
#else
  const auto* const original =
      dnnl_primitive_desc_query_md(primitive.get_primitive_desc(), dnnl_query_scratchpad_md, 0);
  return original == nullptr ? memory::desc() : memory::desc(*original);
#endif
}

void run(const dnnl::primitive& primitive, Arguments arguments) {
  thread_local AlignedVector<std::uint8_t> scratchpad;
  if (!arguments.contains(DNNL_ARG_SCRATCHPAD)) {
    const memory::desc wanted = scratchpad_of(primitive);
    scratchpad.resize(std::max(scratchpad.size(), wanted.get_size()));
    arguments.emplace(DNNL_ARG_SCRATCHPAD, memory(wanted, engine(), scratchpad.data()));
  }
  checked("to run a primitive", [&] {
    primitive.execute(stream(), arguments);
    stream().wait();
  });
}

ConvolutionForward convolution_forward(bool training, const ProductShapes& s, const Window& w) {
  return checked("a convolution", [&] {
    return describe_product<dnnl::convolution_forward>()(kind(training), dnnl::algorithm::convolution_direct,
                                                         s.source, s.weights, s.bias, s.destination,
                                                         w.strides, w.padding_before, w.padding_after);
  });
}

ConvolutionData convolution_backward_data(const ProductShapes& s, const Window& w,
                                          const ConvolutionForward& hint) {
  return checked("a convolution's data gradient", [&] {
    return describe_product<dnnl::convolution_backward_data>(hint)(
        dnnl::algorithm::convolution_direct, s.source, s.weights, s.destination, w.strides, w.padding_before,
        w.padding_after);
  });
}

ConvolutionWeights convolution_backward_weights(const ProductShapes& s, const Window& w,
                                                const ConvolutionForward& hint) {
  return checked("a convolution's weight gradient", [&] {
    return describe_product<dnnl::convolution_backward_weights>(hint)(
        dnnl::algorithm::convolution_direct, s.source, s.weights, s.bias, s.destination, w.strides,
        w.padding_before, w.padding_after);
  });
}

LinearForward linear_forward(bool training, const ProductShapes& s) {
  return checked("a linear layer", [&] {
    return describe_product<dnnl::inner_product_forward>()(kind(training), s.source, s.weights, s.bias,
                                                           s.destination);
  });
}

LinearData linear_backward_data(const ProductShapes& s, const LinearForward& hint) {
  return checked("a linear layer's data gradient", [&] {
    return describe_product<dnnl::inner_product_backward_data>(hint)(s.source, s.weights, s.destination);
  });
}

LinearWeights linear_backward_weights(const ProductShapes& s, const LinearForward& hint) {
  return checked("a linear layer's weight gradient", [&] {
    return describe_product<dnnl::inner_product_backward_weights>(hint)(s.source, s.weights, s.bias,
                                                                        s.destination);
  });
}

PoolingForward pooling_forward(bool training, dnnl::algorithm algorithm, const memory::desc& source,
                               const memory::desc& destination, const Window& w) {
  return checked("a pooling layer", [&] {
#if DNNL_VERSION_MAJOR >= 3
    return PoolingForward(engine(), kind(training), algorithm, source, destination, w.strides, w.kernel,
                          {0, 0}, w.padding_before, w.padding_after);
#else
    return describe<dnnl::pooling_forward>()(kind(training), algorithm, source, destination, w.strides, w.kernel,
                                             w.padding_before, w.padding_after);
#endif
  });
}

PoolingBackward pooling_backward(dnnl::algorithm algorithm, const memory::desc& source,
                                 const memory::desc& destination, const Window& w,
                                 const PoolingForward& hint) {
  return checked("a pooling layer's gradient", [&] {
#if DNNL_VERSION_MAJOR >= 3
    return PoolingBackward(engine(), algorithm, source, destination, w.strides, w.kernel, {0, 0},
                           w.padding_before, w.padding_after, hint);
#else
    return describe<dnnl::pooling_backward>(hint)(algorithm, source, destination, w.strides, w.kernel,
                                                  w.padding_before, w.padding_after);
#endif
  });
}

ElementwiseForward elementwise_forward(bool training, dnnl::algorithm algorithm, const memory::desc& data) {
  return checked("an element-wise layer", [&] {
#if DNNL_VERSION_MAJOR >= 3
    return ElementwiseForward(engine(), kind(training), algorithm, data, data, 0.0F, 0.0F);
#else
    return describe<dnnl::eltwise_forward>()(kind(training), algorithm, data, 0.0F, 0.0F);
#endif
  });
}

ElementwiseBackward elementwise_backward(dnnl::algorithm algorithm, const memory::desc& data,
                                         const ElementwiseForward& hint) {
  return checked("an element-wise layer's gradient", [&] {
#if DNNL_VERSION_MAJOR >= 3
    return ElementwiseBackward(engine(), algorithm, data, data, data, 0.0F, 0.0F, hint);
#else
    return describe<dnnl::eltwise_backward>(hint)(algorithm, data, data, 0.0F, 0.0F);
#endif
  });
}

NormalizationForward normalization_forward(bool training, const memory::desc& data, float epsilon) {
  return checked("a batch normalization", [&] {
#if DNNL_VERSION_MAJOR >= 3
    return NormalizationForward(engine(), kind(training), data, data, epsilon, normalization_flags(training));
#else
    return describe<dnnl::batch_normalization_forward>()(kind(training), data, epsilon,
                                                         normalization_flags(training));
#endif
  });
}

NormalizationBackward normalization_backward(const memory::desc& data, float epsilon,
                                             const NormalizationForward& hint) {
  return checked("a batch normalization's gradient", [&] {
#if DNNL_VERSION_MAJOR >= 3
    return NormalizationBackward(engine(), prop_kind::backward, data, data, data, epsilon,
                                 normalization_flags(true), hint);
#else
    return describe<dnnl::batch_normalization_backward>(hint)(prop_kind::backward, data, data, epsilon,
                                                              normalization_flags(true));
#endif
  });
}

bool takes_shift(const NormalizationBackward& description) {
  constexpr int kWithoutShift = 5;  // source, scale, mean, variance, the destination's gradient
  int inputs = 0;
  if (dnnl_primitive_desc_query(description.get(), dnnl_query_num_of_inputs_s32, 0, &inputs) !=
      dnnl_success) {
    throw Failure(
        concat("oneDNN ", version(), " does not tell the inputs of a batch normalization's gradient"));
  }
  return inputs > kWithoutShift;
}

ConvolutionForward convolution_inference(const ProductShapes& shapes, const Window& w,
                                         const Epilogue& epilogue) {
  return checked("a convolution for inference", [&] {
    const ProductShapes s = with_bias(shapes, epilogue);
    const dnnl::primitive_attr attributes = attributes_of(epilogue, s);
    return describe_with<dnnl::convolution_forward>(attributes)(
        prop_kind::forward_inference, dnnl::algorithm::convolution_direct, s.source, s.weights, s.bias,
        s.destination, w.strides, w.padding_before, w.padding_after);
  });
}

LinearForward linear_inference(const ProductShapes& shapes, const Epilogue& epilogue) {
  return checked("a linear layer for inference", [&] {
    const ProductShapes s = with_bias(shapes, epilogue);
    const dnnl::primitive_attr attributes = attributes_of(epilogue, s);
    return describe_with<dnnl::inner_product_forward>(attributes)(prop_kind::forward_inference, s.source,
                                                                  s.weights, s.bias, s.destination);
  });
}

PreparedCall::Pairs epilogue_arguments(const Epilogue& epilogue) {
  PreparedCall::Pairs arguments = {{DNNL_ARG_BIAS, owned_vector(bias_values(epilogue))}};
#if DNNL_VERSION_MAJOR >= 3
  if (!epilogue.factors.empty()) {
    arguments.emplace_back(DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS, owned_vector(epilogue.factors));
  }
#endif
  return arguments;
}

PreparedCall::PreparedCall(const dnnl::primitive& primitive, const Pairs& arguments)
    : primitive_(primitive), owned_(arguments) {
  for (const auto& [argument, tensor] : owned_) {
    arguments_.push_back({argument, tensor.get()});
  }
}

void PreparedCall::run() const {
  const dnnl_status_t status = dnnl_primitive_execute(primitive_.get(), stream().get(),
                                                      static_cast<int>(arguments_.size()), arguments_.data());
  if (status != dnnl_success) {
    throw Failure(
        concat("oneDNN ", version(), " failed to run a primitive: status ", static_cast<int>(status)));
  }
}

PreparedCall prepared_reorder(const memory& source, const memory& destination) {
  return checked("a change of layout", [&] {
    return PreparedCall(dnnl::reorder(source, destination),
                        {{DNNL_ARG_FROM, source}, {DNNL_ARG_TO, destination}});
  });
}

Addition addition(const memory::desc& data) {
  return checked("an addition",
                 [&] { return describe<dnnl::binary>()(dnnl::algorithm::binary_add, data, data, data); });
}

bool has_exact_bytes() {
  return effective_set_holds(dnnl::cpu_isa::avx512_core_vnni) ||
         effective_set_holds(dnnl::cpu_isa::avx2_vnni);
}

bool has_bfloat16() { return effective_set_holds(dnnl::cpu_isa::avx512_core_bf16); }

void reorder(const memory& source, const memory& destination) {
  checked("a change of layout", [&] {
    dnnl::reorder(source, destination)
        .execute(stream(), const_cast<memory&>(source), const_cast<memory&>(destination));
    stream().wait();
  });
}

}  // namespace adapt::onednn
