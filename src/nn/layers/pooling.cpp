#include "nn/layers/pooling.hpp"

#include "nn/onednn.hpp"

namespace adapt {
namespace {

/// What padding behind the image makes exactly `places` windows; negative where the last pixels are left out.
dnnl::memory::dim padding_behind(int size, int places, const PoolingSpec& spec) {
  return (places - 1) * spec.stride + spec.kernel - size;
}

class PoolingLayer : public Layer {
 public:
  PoolingLayer(const GraphNode& node, const LayerMemory& memory, bool training) : memory_(memory) {
    const auto& spec = std::get<PoolingSpec>(node.spec);
    const auto algorithm = spec.kind == Pooling::maximum ? dnnl::algorithm::pooling_max
                                                         : dnnl::algorithm::pooling_avg_exclude_padding;
    const onednn::Window window = {{spec.stride, spec.stride},
                                   {spec.kernel, spec.kernel},
                                   {0, 0},
                                   {padding_behind(node.input.h, node.output.h, spec),
                                    padding_behind(node.input.w, node.output.w, spec)}};
    const auto source = memory.sources.front().get_desc();
    const auto destination = memory.destination.get_desc();
    const auto description = onednn::pooling_forward(training, algorithm, source, destination, window);
    forward_ = dnnl::pooling_forward(description);
    if (!training) {
      return;
    }
    // Which element of each window was the largest: only maximum pooling has it.
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

std::unique_ptr<Layer> make_pooling(const GraphNode& node, const LayerMemory& memory, bool training) {
  return std::make_unique<PoolingLayer>(node, memory, training);
}

}  // namespace adapt
