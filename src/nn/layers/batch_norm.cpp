#include "nn/layers/batch_norm.hpp"

#include "nn/kernels/onednn.hpp"
#include "nn/packed_weights.hpp"

namespace adapt {
namespace {

class BatchNorm : public Layer {
 public:
  BatchNorm(const NormalizationTerms& terms, const LayerParts& parts) : memory_(parts.memory) {
    const LayerMemory& memory = parts.memory;
    const bool training = parts.training;
    Parameter& scale = parts.parameters[0];
    Parameter& shift = parts.parameters[1];
    RunningStatistics& statistics = *parts.statistics;
    const auto epsilon = static_cast<float>(terms.epsilon);
    const auto data = memory.destination.get_desc();
    const auto description = onednn::normalization_forward(training, data, epsilon);
    forward_ = dnnl::batch_normalization_forward(description);
    const dnnl::memory::dims channels = {parts.input.c};
    scale_ = view(scale.working, channels);
    shift_ = view(shift.working, channels);
    mean_ = view(training ? statistics.shard_mean : statistics.running_mean, channels);
    variance_ = view(training ? statistics.shard_variance : statistics.running_variance, channels);
    if (!training) {
      return;
    }
    const auto backward = onednn::normalization_backward(data, epsilon, description);
    backward_ = dnnl::batch_normalization_backward(backward);
    // oneDNN always writes the source's gradient; where nobody wants it (nothing with parameters before), it
    // needs a place of its own.
    const dnnl::memory source_gradient = memory.source_gradients.front()
                                             ? memory.source_gradients.front()
                                             : dnnl::memory(data, onednn::engine());
    backward_arguments_ = {{DNNL_ARG_SRC, memory.sources.front()},
                           {DNNL_ARG_SCALE, scale_},
                           {DNNL_ARG_MEAN, mean_},
                           {DNNL_ARG_VARIANCE, variance_},
                           {DNNL_ARG_DIFF_DST, memory.destination_gradient},
                           {DNNL_ARG_DIFF_SRC, source_gradient},
                           {DNNL_ARG_DIFF_SCALE, view(scale.gradient, channels)},
                           {DNNL_ARG_DIFF_SHIFT, view(shift.gradient, channels)}};
    if (onednn::takes_shift(backward)) {
      backward_arguments_.emplace(DNNL_ARG_SHIFT, shift_);
    }
  }

  void forward(Pass& /*pass*/) override {
    onednn::run(forward_, {{DNNL_ARG_SRC, memory_.sources.front()},
                           {DNNL_ARG_SCALE, scale_},
                           {DNNL_ARG_SHIFT, shift_},
                           {DNNL_ARG_MEAN, mean_},
                           {DNNL_ARG_VARIANCE, variance_},
                           {DNNL_ARG_DST, memory_.destination}});
  }

  void backward(Pass& /*pass*/) override { onednn::run(backward_, backward_arguments_); }

 private:
  LayerMemory memory_;
  dnnl::memory scale_;
  dnnl::memory shift_;
  dnnl::memory mean_;
  dnnl::memory variance_;
  dnnl::batch_normalization_forward forward_;
  dnnl::batch_normalization_backward backward_;
  onednn::Arguments backward_arguments_;
};

}  // namespace

std::unique_ptr<Layer> make_batch_norm(const NormalizationTerms& terms, const LayerParts& parts) {
  return std::make_unique<BatchNorm>(terms, parts);
}

}  // namespace adapt
