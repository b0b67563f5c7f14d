#include "nn/layers/pooling.hpp"

#include <optional>

#include "nn/kernels/average_pooling.hpp"
#include "nn/kernels/onednn.hpp"

namespace adapt {
namespace {

float* values(const dnnl::memory& memory) { return static_cast<float*>(memory.get_data_handle()); }

class AverageLayer : public Layer {
 public:
  AverageLayer(const Window& window, const LayerParts& parts)
      : memory_(parts.memory), pooling_(window, parts.input, parts.output) {}

  void forward(Pass& /*pass*/) override {
    pooling_.forward(values(memory_.sources.front()), values(memory_.destination));
  }

  void backward(Pass& /*pass*/) override {
    if (memory_.source_gradients.front()) {
      pooling_.backward(values(memory_.destination_gradient), values(memory_.source_gradients.front()));
    }
  }

 private:
  LayerMemory memory_;
  AveragePooling pooling_;
};

/// The same between activations of another type, through float32.
class CastAverageLayer : public Layer {
 public:
  CastAverageLayer(const Window& window, const LayerParts& parts)
      : own_(float_memory(parts)),
        average_(window, {parts.input, parts.output, own_, {}, nullptr, parts.training}),
        source_(onednn::prepared_reorder(parts.memory.sources.front(), own_.sources.front())),
        destination_(onednn::prepared_reorder(own_.destination, parts.memory.destination)) {
    const LayerMemory& memory = parts.memory;
    if (memory.source_gradients.front()) {
      destination_gradient_ =
          onednn::prepared_reorder(memory.destination_gradient, own_.destination_gradient);
      source_gradient_ =
          onednn::prepared_reorder(own_.source_gradients.front(), memory.source_gradients.front());
    }
  }

  void forward(Pass& pass) override {
    source_.run();
    onednn::stream().wait();
    average_.forward(pass);
    destination_.run();
    onednn::stream().wait();
  }

  void backward(Pass& pass) override {
    if (!source_gradient_) {
      return;
    }
    destination_gradient_->run();
    onednn::stream().wait();
    average_.backward(pass);
    source_gradient_->run();
    onednn::stream().wait();
  }

 private:
  static LayerMemory float_memory(const LayerParts& parts) {
    const auto floats = [](const Shape& s) {
      return dnnl::memory(onednn::activation(s.n, s.c, s.h, s.w), onednn::engine());
    };
    LayerMemory own = {{floats(parts.input)}, floats(parts.output), {dnnl::memory()}, dnnl::memory()};
    if (parts.memory.source_gradients.front()) {
      own.source_gradients.front() = floats(parts.input);
      own.destination_gradient = floats(parts.output);
    }
    return own;
  }

  LayerMemory own_;
  AverageLayer average_;
  onednn::PreparedCall source_;
  onednn::PreparedCall destination_;
  std::optional<onednn::PreparedCall> destination_gradient_;
  std::optional<onednn::PreparedCall> source_gradient_;
};

class MaximumLayer : public Layer {
 public:
  MaximumLayer(const Window& terms, const LayerParts& parts) : memory_(parts.memory) {
    const LayerMemory& memory = parts.memory;
    const bool training = parts.training;
    const auto algorithm = dnnl::algorithm::pooling_max;
    const onednn::Window window = onednn::window_of(terms, parts.input, parts.output);
    const auto source = memory.sources.front().get_desc();
    const auto destination = memory.destination.get_desc();
    const auto description = onednn::pooling_forward(training, algorithm, source, destination, window);
    forward_ = dnnl::pooling_forward(description);
    if (!training) {
      return;
    }
    // Which element of each window was the largest.
    workspace_ = dnnl::memory(description.workspace_desc(), onednn::engine());
    backward_ =
        dnnl::pooling_backward(onednn::pooling_backward(algorithm, source, destination, window, description));
  }

  void forward(Pass& /*pass*/) override {
    onednn::run(forward_, {{DNNL_ARG_SRC, memory_.sources.front()},
                           {DNNL_ARG_DST, memory_.destination},
                           {DNNL_ARG_WORKSPACE, workspace_}});
  }

  void backward(Pass& /*pass*/) override {
    if (!memory_.source_gradients.front()) {
      return;
    }
    onednn::run(backward_, {{DNNL_ARG_DIFF_DST, memory_.destination_gradient},
                            {DNNL_ARG_WORKSPACE, workspace_},
                            {DNNL_ARG_DIFF_SRC, memory_.source_gradients.front()}});
  }

 private:
  LayerMemory memory_;
  dnnl::memory workspace_;
  dnnl::pooling_forward forward_;
  dnnl::pooling_backward backward_;
};

}  // namespace

std::unique_ptr<Layer> make_pooling(const PoolingTerms& terms, const LayerParts& parts) {
  if (terms.kind == Pooling::maximum) {
    return std::make_unique<MaximumLayer>(terms.window, parts);
  }
  if (onednn::type_of(parts.memory.destination.get_desc()) != dnnl::memory::data_type::f32) {
    return std::make_unique<CastAverageLayer>(terms.window, parts);
  }
  return std::make_unique<AverageLayer>(terms.window, parts);
}

}  // namespace adapt
