#pragma once

#include <memory>
#include <optional>

#include "nn/kernels/onednn.hpp"
#include "nn/layer.hpp"
#include "nn/packed_weights.hpp"

namespace adapt {

/// The layers whose parameters are a weight tensor and a bias: what convolution and linear share once their
/// primitives are made.
class ProductLayer : public Layer {
 public:
  /// `bias` may be null. `shapes` describe source, bias and destination as the primitives see them: views of
  /// the layer's memory.
  ProductLayer(const LayerMemory& memory, Parameter& weight, Parameter* bias,
               const onednn::ProductShapes& shapes);

  void forward(Pass& pass) override;
  void backward(Pass& pass) override;

  template <class Description>
  void set_forward(const Description& description) {
    forward_ = dnnl::primitive(description.get());
    forward_weights_.emplace(weight_, weight_dims_, description.weights_desc());
  }
  template <class Description>
  void set_backward_weights(const Description& description) {
    backward_weights_ = dnnl::primitive(description.get());
    weight_gradient_.emplace(weight_, weight_dims_, description.diff_weights_desc());
  }
  /// After set_forward.
  template <class Description>
  void set_backward_data(const Description& description) {
    backward_data_ = dnnl::primitive(description.get());
    if (description.weights_desc() != forward_weights_->layout()) {
      own_backward_data_weights_.emplace(weight_, weight_dims_, description.weights_desc());
    }
  }
  [[nodiscard]] bool wants_source_gradient() const;

 private:
  PackedWeights& backward_data_weights();
  /// Lets the views see where the layer's memory is now.
  void follow_memory();

  LayerMemory memory_;
  Parameter& weight_;
  dnnl::memory::dims weight_dims_;
  dnnl::memory source_;
  dnnl::memory destination_;
  dnnl::memory source_gradient_;
  dnnl::memory destination_gradient_;
  dnnl::memory bias_;
  dnnl::memory bias_gradient_;
  dnnl::primitive forward_;
  dnnl::primitive backward_weights_;
  dnnl::primitive backward_data_;
  std::optional<PackedWeights> forward_weights_;
  std::optional<PackedWeights> own_backward_data_weights_;  ///< where forward likes another layout
  std::optional<UnpackedGradient> weight_gradient_;
};

/// 2-D convolution, whose terms have a window: destination (N, OC, OH, OW) = sum over (IC, KH, KW) of source
/// (N, IC, H, W) · weights (OC, IC / groups, KH, KW) + bias (OC), over the IC of the output channel's group.
/// Cross-correlation, as usual in the field; zero padding on all sides.
std::unique_ptr<Layer> make_convolution(const ProductTerms& terms, const LayerParts& parts, Parameter& weight,
                                        Parameter* bias);

/// Fully connected layer: destination (N, OUT) = source (N, IN) · weights (OUT, IN)ᵀ + bias (OUT). A source
/// (N, C, H, W) is read in memory order, so IN runs over (H, W, C); a destination likewise.
std::unique_ptr<Layer> make_linear(const LayerParts& parts, Parameter& weight, Parameter* bias);

}  // namespace adapt
