#include "nn/layers/pooling.hpp"

#include "nn/layers/average_pooling.hpp"
#include "nn/onednn.hpp"

namespace adapt {
namespace {

/// What padding behind the image makes exactly `places` windows; negative where the last pixels are left out.
dnnl::memory::dim padding_behind(int size, int places, const PoolingSpec& spec) {
  return (places - 1) * spec.stride + spec.kernel - size;
}

float* values(const dnnl::memory& memory) { return static_cast<float*>(memory.get_data_handle()); }

class AverageLayer : public Layer {
 public:
  AverageLayer(const GraphNode& node, const LayerMemory& memory)
      : memory_(memory), pooling_(std::get<PoolingSpec>(node.spec), node.input, node.output) {}

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

class MaximumLayer : public Layer {
 public:
  MaximumLayer(const GraphNode& node, const LayerMemory& memory, bool training) : memory_(memory) {
    const auto& spec = std::get<PoolingSpec>(node.spec);
    const auto algorithm = dnnl::algorithm::pooling_max;
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

std::unique_ptr<Layer> make_pooling(const GraphNode& node, const LayerMemory& memory, bool training) {
  if (std::get<PoolingSpec>(node.spec).kind == Pooling::average) {
    return std::make_unique<AverageLayer>(node, memory);
  }
  return std::make_unique<MaximumLayer>(node, memory, training);
}

}  // namespace adapt
