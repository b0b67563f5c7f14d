#pragma once

#include "nn/shape.hpp"

namespace adapt {

/// Mean over square windows without padding, channels last: oneDNN's pooling is several times slower where
/// the channels fill no vector register. All arrays are (N, H, W, C); a sum goes over the rows of a window
/// first, then over its columns.
class AveragePooling {
 public:
  AveragePooling(const Window& window, const Shape& input, const Shape& output)
      : window_(window), input_(input), output_(output) {}

  /// destination (N, OH, OW, C) ← source (N, H, W, C).
  void forward(const float* source, float* destination) const;
  /// source_gradient (N, H, W, C) ← destination_gradient (N, OH, OW, C); zero where no window reaches.
  void backward(const float* destination_gradient, float* source_gradient) const;

 private:
  void forward_image(const float* source, float* destination) const;
  void backward_image(const float* destination_gradient, float* source_gradient) const;
  [[nodiscard]] float share() const { return 1.0F / static_cast<float>(window_.kernel * window_.kernel); }

  Window window_;
  Shape input_;
  Shape output_;
};

}  // namespace adapt
