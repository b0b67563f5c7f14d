#include "nn/layers/addition.hpp"

#include "nn/kernels/onednn.hpp"

namespace adapt {
namespace {

class AdditionLayer : public Layer {
 public:
  explicit AdditionLayer(const LayerMemory& memory)
      : memory_(memory), forward_(onednn::addition(memory.destination.get_desc())) {}

  void forward(Pass& /*pass*/) override {
    onednn::run(forward_, {{DNNL_ARG_SRC_0, memory_.sources[0]},
                           {DNNL_ARG_SRC_1, memory_.sources[1]},
                           {DNNL_ARG_DST, memory_.destination}});
  }

  // The memory plan lets the inputs' gradients stand where the output's does.
  void backward(Pass& /*pass*/) override {}

 private:
  LayerMemory memory_;
  dnnl::binary forward_;
};

}  // namespace

std::unique_ptr<Layer> make_addition(const LayerMemory& memory) {
  return std::make_unique<AdditionLayer>(memory);
}

}  // namespace adapt
