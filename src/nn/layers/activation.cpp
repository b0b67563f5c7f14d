#include "nn/layers/activation.hpp"

#include "nn/kernels/onednn.hpp"

namespace adapt {
namespace {

class ActivationLayer : public Layer {
 public:
  ActivationLayer(dnnl::algorithm algorithm, const LayerMemory& memory, bool training) : memory_(memory) {
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

}  // namespace

std::unique_ptr<Layer> make_activation(Activation kind, const LayerParts& parts) {
  const bool relu = kind == Activation::relu;
  const auto algorithm =
      relu ? dnnl::algorithm::eltwise_relu_use_dst_for_bwd : dnnl::algorithm::eltwise_tanh_use_dst_for_bwd;
  return std::make_unique<ActivationLayer>(algorithm, parts.memory, parts.training);
}

}  // namespace adapt
