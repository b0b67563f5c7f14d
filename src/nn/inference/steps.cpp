#include "nn/inference/steps.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "nn/inference/checked_product.hpp"
#include "nn/inference/own_product.hpp"
#include "nn/kernels/average_bytes.hpp"
#include "nn/kernels/average_pooling.hpp"
#include "nn/kernels/onednn.hpp"
#include "nn/kernels/trusted_packing.hpp"
#include "nn/layer.hpp"
#include "numerics/quantize.hpp"

namespace adapt {
namespace {

using dnnl::memory;
using Run = std::function<void()>;

constexpr int kByteBits = 8;

template <class T>
T* data_of(const ValueMemory& value) {
  return static_cast<T*>(value.data.get_data_handle());
}

// ---- products ----

onednn::Epilogue epilogue_of(const FoldedProduct& product, bool adds, NumberType residual_type) {
  onednn::Epilogue epilogue = {product.factors, product.addends, {}, {}, {}, product.output_factor};
  if (adds) {
    epilogue.residual_factor = product.residual_factor;
    epilogue.residual_type = onednn_type_of(residual_type);
  }
  if (product.activation) {
    epilogue.activation = *product.activation == Activation::relu ? dnnl::algorithm::eltwise_relu
                                                                  : dnnl::algorithm::eltwise_tanh;
  }
  return epilogue;
}

/// The folded weights in the layout that the primitive likes.
memory packed_weights(const FoldedProduct& product, const memory::dims& dims, const memory::desc& layout) {
  const memory packed(layout, onednn::engine());
  if (product.integer) {
    AlignedVector<std::int8_t> bytes(product.weights.begin(), product.weights.end());
    onednn::reorder({onednn::plain_bytes(dims), onednn::engine(), bytes.data()}, packed);
  } else {
    AlignedVector<float> numbers = product.weights;
    pack({onednn::plain(dims), onednn::engine(), numbers.data()}, packed);
  }
  return packed;
}

template <class Description>
Run product_call(const FoldedProduct& product, const Description& description, const memory::dims& dims,
                 const onednn::Epilogue& epilogue, const memory& source, const memory& destination) {
  onednn::PreparedCall::Pairs arguments = onednn::epilogue_arguments(epilogue);
  arguments.emplace_back(DNNL_ARG_SRC, source);
  arguments.emplace_back(DNNL_ARG_DST, destination);
  arguments.emplace_back(DNNL_ARG_WEIGHTS, packed_weights(product, dims, description.weights_desc()));
  return [call = onednn::PreparedCall(dnnl::primitive(description.get()), arguments)] { call.run(); };
}

Run compile_convolution(const StepParts& parts, memory::data_type weights, const onednn::Epilogue& epilogue) {
  const auto& [in, out, kernel, stride, padding, groups] = parts.step.product.geometry;
  const memory::dims dims = onednn::weight_dims(forward_product(parts.step.product.geometry));
  const onednn::Window window = onednn::window_of({kernel, stride, padding}, in, out);
  const onednn::ProductShapes shapes = {parts.sources[0].data.get_desc(),
                                        {dims, weights, memory::format_tag::any},
                                        {},
                                        parts.destination.data.get_desc()};
  return product_call(parts.step.product, onednn::convolution_inference(shapes, window, epilogue), dims,
                      epilogue, parts.sources[0].data, parts.destination.data);
}

/// The same memory as a matrix or, where a residual is added, which oneDNN's linear layers refuse, as maps of
/// one pixel. That of the images is asked anew in each call.
Run compile_linear(const StepParts& parts, memory::data_type weights, const onednn::Epilogue& epilogue) {
  const memory::data_type from = onednn_type_of(parts.sources[0].value.type);
  const memory::data_type to = onednn_type_of(parts.destination.value.type);
  const Shape& in = parts.step.product.geometry.input;
  const Shape& out = parts.step.product.geometry.output;
  const bool adds = epilogue.residual_factor.has_value();
  const memory::dims dims = adds ? memory::dims{out.c, in.c, 1, 1} : memory::dims{out.c, in.c};
  const onednn::ProductShapes shapes = {
      adds ? onednn::activation(in.n, in.c, 1, 1, from) : onednn::plain({in.n, in.c}, from),
      {dims, weights, memory::format_tag::any},
      {},
      adds ? onednn::activation(in.n, out.c, 1, 1, to) : onednn::plain({in.n, out.c}, to)};
  const memory original = parts.sources[0].data;
  const memory source(shapes.source, onednn::engine(), original.get_data_handle());
  const memory destination(shapes.destination, onednn::engine(), parts.destination.data.get_data_handle());
  const Run call =
      adds ? product_call(parts.step.product,
                          onednn::convolution_inference(shapes, onednn::window_of({}, in, out), epilogue),
                          dims, epilogue, source, destination)
           : product_call(parts.step.product, onednn::linear_inference(shapes, epilogue), dims, epilogue,
                          source, destination);
  return [=] {
    source.set_data_handle(original.get_data_handle());
    call();
  };
}

/// Whether the product is that of a matrix with one pixel.
bool is_linear(const ProductGeometry& geometry) {
  const auto is_pixel = [](const Shape& map) { return map.h == 1 && map.w == 1; };
  return is_pixel(geometry.input) && is_pixel(geometry.output) && geometry.kernel == 1 &&
         geometry.padding == 0 && geometry.groups == 1;
}

Run compile_product(const StepParts& parts) {
  const FoldedProduct& product = parts.step.product;
  if (product.operand_step) {  // oneDNN has nothing of the kind that is fast
    return own_product(parts);
  }
  const auto epilogue = epilogue_of(product, parts.step.residual >= 0, parts.residual_type);
  const memory::data_type weights =
      product.integer ? memory::data_type::s8 : onednn_type_of(parts.sources[0].value.type);
  return checked_product(parts, [&] {
    return is_linear(product.geometry) ? compile_linear(parts, weights, epilogue)
                                       : compile_convolution(parts, weights, epilogue);
  });
}

// ---- poolings ----

template <class From, class To>
Run average(const StepParts& parts, const PoolingTerms& terms) {
  const Shape input = parts.sources[0].value.shape;
  const Shape output = parts.destination.value.shape;
  const int destination_length = std::is_same_v<To, float> ? 0 : parts.destination.value.fractional_length;
  const float factor = std::ldexp(1.0F, destination_length - parts.sources[0].value.fractional_length) /
                       static_cast<float>(terms.window.kernel * terms.window.kernel);
  return [=, from = parts.sources[0], to = parts.destination] {
    average_bytes(terms.window, input, output, factor, data_of<const From>(from), data_of<To>(to));
  };
}

/// A mean of floats, and what comes after it where bytes are wanted.
Run average_floats(const StepParts& parts, const PoolingTerms& terms) {
  const AveragePooling pooling(terms.window, parts.sources[0].value.shape, parts.destination.value.shape);
  const ValueMemory from = parts.sources[0];
  const ValueMemory to = parts.destination;
  if (!is_byte(to.value.type)) {
    return [=] { pooling.forward(data_of<const float>(from), data_of<float>(to)); };
  }
  const auto means = std::make_shared<AlignedVector<float>>(to.value.shape.elements());
  const FixedFormat format = {kByteBits, to.value.fractional_length};
  return [=] {
    pooling.forward(data_of<const float>(from), means->data());
    quantize_to_bytes(*means, {data_of<std::int8_t>(to), means->size()}, format, Rounding::nearest, {});
  };
}

Run compile_average(const StepParts& parts, const PoolingTerms& terms) {
  const NumberType from = parts.sources[0].value.type;
  const bool to_bytes = is_byte(parts.destination.value.type);
  if (from == NumberType::signed_byte) {
    return to_bytes ? average<std::int8_t, std::int8_t>(parts, terms)
                    : average<std::int8_t, float>(parts, terms);
  }
  if (from == NumberType::unsigned_byte) {
    return to_bytes ? average<std::uint8_t, std::uint8_t>(parts, terms)
                    : average<std::uint8_t, float>(parts, terms);
  }
  return average_floats(parts, terms);
}

Run compile_maximum(const StepParts& parts, const PoolingTerms& terms) {
  const Shape& in = parts.sources[0].value.shape;
  const Shape& out = parts.destination.value.shape;
  const onednn::Window window = onednn::window_of(terms.window, in, out);
  const auto description =
      onednn::pooling_forward(/*training=*/false, dnnl::algorithm::pooling_max,
                              parts.sources[0].data.get_desc(), parts.destination.data.get_desc(), window);
  return [call = onednn::PreparedCall(dnnl::primitive(description.get()),
                                      {{DNNL_ARG_SRC, parts.sources[0].data},
                                       {DNNL_ARG_DST, parts.destination.data}})] { call.run(); };
}

Run compile_pool(const StepParts& parts) {
  const PoolingTerms terms = *parts.graph.nodes[parts.step.node].pooling();
  return terms.kind == Pooling::average ? compile_average(parts, terms) : compile_maximum(parts, terms);
}

// ---- the rest ----

Run compile_convert(const StepParts& parts) {
  const ValueMemory from = parts.sources[0];
  const ValueMemory to = parts.destination;
  const auto elements = static_cast<std::size_t>(to.value.shape.elements());
  if (from.value.type == to.value.type) {
    const std::size_t bytes = elements * static_cast<std::size_t>(bytes_of(to.value.type));
    return [=] { std::memcpy(data_of<void>(to), data_of<void>(from), bytes); };
  }
  if (is_byte(to.value.type)) {
    const FixedFormat format = {kByteBits, to.value.fractional_length};
    return [=] {
      quantize_to_bytes({data_of<const float>(from), elements}, {data_of<std::int8_t>(to), elements}, format,
                        Rounding::nearest, {});
    };
  }
  return [call = onednn::prepared_reorder(from.data, to.data)] { call.run(); };
}

std::unique_ptr<Layer> make_layer(const StepParts& parts, const LayerMemory& memory) {
  const GraphNode& node = parts.graph.nodes[parts.step.node];
  ModelState& state = parts.state;
  const std::vector<ParameterShape> shapes = node.parameters();
  const std::size_t first = shapes.empty() ? 0 : state.find(node.name + shapes.front().suffix);
  const std::span parameters = std::span(state.parameters).subspan(first, shapes.size());
  const auto statistics = std::ranges::find(state.statistics, node.name, &RunningStatistics::name);
  return node.op().make_layer({node.input, node.output, memory, parameters,
                               statistics == state.statistics.end() ? nullptr : &*statistics,
                               /*training=*/false});
}

Run compile_layer(const StepParts& parts) {
  LayerMemory memory;
  for (const ValueMemory& source : parts.sources) {
    memory.sources.push_back(source.data);
  }
  memory.destination = parts.destination.data;
  memory.source_gradients.resize(memory.sources.size());
  return [layer = std::shared_ptr<Layer>(make_layer(parts, memory))] {
    Pass pass;
    layer->forward(pass);
  };
}

}  // namespace

std::function<void()> compile_step(const StepParts& parts) {
  switch (parts.step.kind) {
    case InferenceStep::Kind::product:
      return compile_product(parts);
    case InferenceStep::Kind::pool:
      return compile_pool(parts);
    case InferenceStep::Kind::convert:
      return compile_convert(parts);
    default:
      return compile_layer(parts);
  }
}

dnnl::memory::data_type onednn_type_of(NumberType type) {
  switch (type) {
    case NumberType::signed_byte:
      return memory::data_type::s8;
    case NumberType::unsigned_byte:
      return memory::data_type::u8;
    case NumberType::bfloat16:
      return memory::data_type::bf16;
    default:
      return memory::data_type::f32;
  }
}

dnnl::memory value_memory(const InferenceValue& value, void* data) {
  const Shape& s = value.shape;
  return {
      {{s.n, s.c, s.h, s.w}, onednn_type_of(value.type), memory::format_tag::nhwc}, onednn::engine(), data};
}

}  // namespace adapt
