#include "nn/layers/pooling.hpp"

#include <optional>

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

/// The same between activations of another type, through float32.
class CastAverageLayer : public Layer {
 public:
  CastAverageLayer(const GraphNode& node, const LayerMemory& memory)
      : own_(float_memory(node, memory)),
        average_(node, own_),
        source_(onednn::prepared_reorder(memory.sources.front(), own_.sources.front())),
        destination_(onednn::prepared_reorder(own_.destination, memory.destination)) {
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
  static LayerMemory float_memory(const GraphNode& node, const LayerMemory& memory) {
    const auto floats = [](const Shape& s) {
      return dnnl::memory(onednn::activation(s.n, s.c, s.h, s.w), onednn::engine());
    };
    LayerMemory own = {{floats(node.input)}, floats(node.output), {dnnl::memory()}, dnnl::memory()};
    if (memory.source_gradients.front()) {
      own.source_gradients.front() = floats(node.input);
      own.destination_gradient = floats(node.output);
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
    const bool floats = onednn::type_of(memory.destination.get_desc()) == dnnl::memory::data_type::f32;
    if (!floats) {
      return std::make_unique<CastAverageLayer>(node, memory);
    }
    return std::make_unique<AverageLayer>(node, memory);
  }
  return std::make_unique<MaximumLayer>(node, memory, training);
}

}  // namespace adapt
