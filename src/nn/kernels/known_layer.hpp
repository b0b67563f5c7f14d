#pragma once

#include <cstddef>
#include <vector>

#include "nn/kernels/window_product.hpp"
#include "numerics/random.hpp"

namespace adapt {

/// Small integers for the three products of a layer, and what the products must be, exactly. Of activations
/// there are kImages images, (kImages, H, W, C); those of a batch are these over and over, those of gradients
/// with gradient_sign(). Sums stay far below 2^24, where float32 ceases to be exact: their terms are of
/// either sign, as often, and what one repetition adds to a sum over the batch the next one takes away.
class KnownLayer {
 public:
  static constexpr std::size_t kImages = 4;
  /// Of the images' repetition: +, +, -, +, -, ..., so that no sum vanishes.
  static float gradient_sign(std::size_t repetition) {
    return repetition > 0 && repetition % 2 == 0 ? -1.0F : 1.0F;
  }

  /// `layer` is the forward product.
  explicit KnownLayer(const WindowProduct& layer);

  [[nodiscard]] std::vector<float> source() const { return source_.values(); }
  [[nodiscard]] std::vector<float> destination_gradient() const { return gradient_.values(); }
  [[nodiscard]] const std::vector<float>& weights() const { return weights_; }  ///< (O, I / groups, KH, KW)
  [[nodiscard]] const std::vector<float>& bias() const { return bias_; }

  [[nodiscard]] std::vector<float> destination(bool with_bias) const;
  [[nodiscard]] std::vector<float> source_gradient() const;
  [[nodiscard]] std::vector<float> weight_gradient() const;  ///< over all images of the batch
  [[nodiscard]] std::vector<float> bias_gradient() const;

 private:
  /// An activation that is a pixel's number times a channel's: what a product sums over channels is then
  /// known without doing it for each pixel.
  struct Activation {
    Activation(RandomSequence& random, const Shape& map);

    [[nodiscard]] const float* image(std::size_t n) const;
    [[nodiscard]] std::vector<float> values() const;

    Shape shape;
    std::vector<float> channels;
    std::vector<float> pixels;  // (kImages, H, W)
  };

  /// use(output channel, input channel, tap, index of the weight).
  template <class Use>
  void for_each_weight(Use&& use) const;
  static std::vector<float> window_sums(const WindowProduct& product, const Activation& source,
                                        const std::vector<float>& by_tap, const std::vector<float>& first);
  [[nodiscard]] float net_images_like(std::size_t n) const;

  WindowProduct layer_;
  RandomSequence random_;
  std::size_t inputs_;
  std::size_t outputs_;
  std::size_t taps_;
  Activation source_;
  Activation gradient_;
  std::vector<float> weights_;
  std::vector<float> bias_;
};

}  // namespace adapt
