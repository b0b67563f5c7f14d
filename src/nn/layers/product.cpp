#include "nn/layers/product.hpp"

#include "nn/kernels/trusted_product.hpp"

namespace adapt {
namespace {

using dnnl::memory;

memory::dims dims_of(const Parameter& parameter) { return {parameter.dims.begin(), parameter.dims.end()}; }

/// A view of `original` as `layout`, without data yet; nothing for nothing.
memory view_of(const memory& original, const memory::desc& layout) {
  return original ? memory(layout, onednn::engine(), nullptr) : memory();
}

void follow(const memory& original, memory& view) {
  if (original) {
    view.set_data_handle(original.get_data_handle());
  }
}

template <class Description>
Description trusted(Description description, ProductRole role, const WindowProduct& product) {
  trust(description, role, product);
  return description;
}

onednn::ProductShapes shapes_of(const memory::desc& source, const memory::desc& destination,
                                const memory::dims& weight, const Parameter* bias) {
  return {source, onednn::any_layout(weight, onednn::type_of(source)),
          bias != nullptr ? onednn::plain(dims_of(*bias)) : memory::desc(), destination};
}

}  // namespace

ProductLayer::ProductLayer(const LayerMemory& memory, Parameter& weight, Parameter* bias,
                           const onednn::ProductShapes& shapes)
    : memory_(memory),
      weight_(weight),
      weight_dims_(onednn::dims_of(shapes.weights)),
      source_(view_of(memory.sources.front(), shapes.source)),
      destination_(view_of(memory.destination, shapes.destination)),
      source_gradient_(view_of(memory.source_gradients.front(), shapes.source)),
      destination_gradient_(view_of(memory.destination_gradient, shapes.destination)) {
  if (bias != nullptr) {
    bias_ = view(bias->working, dims_of(*bias));
    bias_gradient_ = view(bias->gradient, dims_of(*bias));
  }
}

PackedWeights& ProductLayer::backward_data_weights() {
  return own_backward_data_weights_ ? *own_backward_data_weights_ : *forward_weights_;
}

bool ProductLayer::wants_source_gradient() const {
  return static_cast<bool>(memory_.source_gradients.front());
}

void ProductLayer::follow_memory() {
  follow(memory_.sources.front(), source_);
  follow(memory_.destination, destination_);
  follow(memory_.source_gradients.front(), source_gradient_);
  follow(memory_.destination_gradient, destination_gradient_);
}

void ProductLayer::forward(Pass& /*pass*/) {
  follow_memory();
  onednn::run(forward_, {{DNNL_ARG_SRC, source_},
                         {DNNL_ARG_WEIGHTS, forward_weights_->get()},
                         {DNNL_ARG_BIAS, bias_},
                         {DNNL_ARG_DST, destination_}});
}

void ProductLayer::backward(Pass& /*pass*/) {
  follow_memory();
  onednn::run(backward_weights_, {{DNNL_ARG_SRC, source_},
                                  {DNNL_ARG_DIFF_DST, destination_gradient_},
                                  {DNNL_ARG_DIFF_WEIGHTS, weight_gradient_->target()},
                                  {DNNL_ARG_DIFF_BIAS, bias_gradient_}});
  weight_gradient_->store();
  if (wants_source_gradient()) {
    onednn::run(backward_data_, {{DNNL_ARG_DIFF_DST, destination_gradient_},
                                 {DNNL_ARG_WEIGHTS, backward_data_weights().get()},
                                 {DNNL_ARG_DIFF_SRC, source_gradient_}});
  }
}

std::unique_ptr<Layer> make_convolution(const ProductTerms& terms, const LayerParts& parts, Parameter& weight,
                                        Parameter* bias) {
  const LayerMemory& memory = parts.memory;
  const onednn::Window window = onednn::window_of(*terms.window, parts.input, parts.output);
  const WindowProduct product = forward_product(geometry_of(terms, parts.input, parts.output));
  const auto weight_dims = onednn::weight_dims(product);
  const auto shapes =
      shapes_of(memory.sources.front().get_desc(), memory.destination.get_desc(), weight_dims, bias);
  auto layer = std::make_unique<ProductLayer>(memory, weight, bias, shapes);
  const auto forward = onednn::convolution_forward(parts.training, shapes, window);
  layer->set_forward(trusted(forward, ProductRole::forward, product));
  if (!parts.training) {
    return layer;
  }
  auto gradient_shapes = shapes;
  gradient_shapes.weights = onednn::any_layout(weight_dims);  // gradients of parameters are float32
  layer->set_backward_weights(trusted(onednn::convolution_backward_weights(gradient_shapes, window, forward),
                                      ProductRole::weight_gradient, product));
  if (layer->wants_source_gradient()) {
    layer->set_backward_data(trusted(onednn::convolution_backward_data(shapes, window, forward),
                                     ProductRole::data_gradient, product));
  }
  return layer;
}

std::unique_ptr<Layer> make_linear(const LayerParts& parts, Parameter& weight, Parameter* bias) {
  const LayerMemory& memory = parts.memory;
  const int batch = parts.input.n;
  const WindowProduct product = {{batch, static_cast<int>(parts.input.elements() / batch), 1, 1},
                                 {batch, static_cast<int>(parts.output.elements() / batch), 1, 1}};
  const dnnl::memory::data_type type = onednn::type_of(memory.destination.get_desc());
  const auto shapes = shapes_of(onednn::plain({batch, product.source.c}, type),
                                onednn::plain({batch, product.destination.c}, type), dims_of(weight), bias);
  auto layer = std::make_unique<ProductLayer>(memory, weight, bias, shapes);
  const auto forward = onednn::linear_forward(parts.training, shapes);
  layer->set_forward(trusted(forward, ProductRole::forward, product));
  if (!parts.training) {
    return layer;
  }
  // As a matrix product the gradient is as fast in the parameter's own layout, and needs no copy then.
  auto gradient_shapes = shapes;
  gradient_shapes.weights = onednn::plain(dims_of(weight));
  layer->set_backward_weights(trusted(onednn::linear_backward_weights(gradient_shapes, forward),
                                      ProductRole::weight_gradient, product));
  if (layer->wants_source_gradient()) {
    layer->set_backward_data(
        trusted(onednn::linear_backward_data(shapes, forward), ProductRole::data_gradient, product));
  }
  return layer;
}

}  // namespace adapt
