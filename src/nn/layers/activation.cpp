#include "nn/layers/activation.hpp"

#include "nn/kernels/onednn.hpp"
#include "numerics/dispatch.hpp"

namespace adapt {
namespace {

/// By oneDNN.
class LibraryActivation : public Layer {
 public:
  LibraryActivation(dnnl::algorithm algorithm, const LayerMemory& memory, bool training) : memory_(memory) {
    const dnnl::memory::desc data = memory.destination.get_desc();
    const auto description = onednn::elementwise_forward(training, algorithm, data);
    forward_ = dnnl::eltwise_forward(description);
    if (training) {
      backward_ = dnnl::eltwise_backward(onednn::elementwise_backward(algorithm, data, description));
    }
  }

  void forward(Pass& /*pass*/) override {
    onednn::run(forward_, {{DNNL_ARG_SRC, memory_.sources.front()}, {DNNL_ARG_DST, memory_.destination}});
  }

  void backward(Pass& /*pass*/) override {
    if (!memory_.source_gradients.front()) {
      return;
    }
    onednn::run(backward_, {{DNNL_ARG_DST, memory_.destination},
                            {DNNL_ARG_DIFF_DST, memory_.destination_gradient},
                            {DNNL_ARG_DIFF_SRC, memory_.source_gradients.front()}});
  }

 private:
  LayerMemory memory_;
  dnnl::eltwise_forward forward_;
  dnnl::eltwise_backward backward_;
};

/// Our own, of float32: oneDNN's differs between processors.
class TanhLayer : public Layer {
 public:
  TanhLayer(const LayerMemory& memory, const Shape& shape)
      : memory_(memory), elements_(static_cast<std::size_t>(shape.elements())) {}

  void forward(Pass& /*pass*/) override {
    vector::kernels().tanh(floats(memory_.sources.front()), floats(memory_.destination), elements_);
  }

  void backward(Pass& /*pass*/) override {
    if (memory_.source_gradients.front()) {
      vector::kernels().tanh_gradient(floats(memory_.destination), floats(memory_.destination_gradient),
                                      floats(memory_.source_gradients.front()), elements_);
    }
  }

 private:
  static float* floats(const dnnl::memory& memory) { return static_cast<float*>(memory.get_data_handle()); }

  LayerMemory memory_;
  std::size_t elements_;
};

}  // namespace

std::unique_ptr<Layer> make_activation(Activation kind, const LayerParts& parts) {
  const bool is_relu = kind == Activation::relu;
  if (!is_relu && onednn::type_of(parts.memory.destination.get_desc()) == dnnl::memory::data_type::f32) {
    return std::make_unique<TanhLayer>(parts.memory, parts.output);
  }
  const auto algorithm =
      is_relu ? dnnl::algorithm::eltwise_relu_use_dst_for_bwd : dnnl::algorithm::eltwise_tanh_use_dst_for_bwd;
  return std::make_unique<LibraryActivation>(algorithm, parts.memory, parts.training);
}

}  // namespace adapt
