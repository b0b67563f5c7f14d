#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/aligned.hpp"
#include "numerics/channels.hpp"

namespace adapt {

/// The arithmetic of batch normalization per channel (Ioffe and Szegedy 2015) on activations whose channels
/// come last, tile by tile: y = x · a + b with a = scale / sqrt(variance + ε) and b = shift - mean · a.
/// Tiles begin at multiples of the channels' period (numerics/channels.hpp).
///
/// Sums over the batch are made in float32 within a tile and lane, and in double beyond: exact where x has
/// at most 8 bits, and the same on any machine elsewhere.
class BatchNormKernel {
 public:
  BatchNormKernel(std::size_t channels, double epsilon);

  [[nodiscard]] std::size_t channels() const { return channels_; }

  /// Before the tiles of a sum.
  void clear_sums();
  /// Adds a tile of `length` numbers to the sums of x and x · x.
  void add(const Numbers& x, std::size_t length) { add(x, x, length); }
  /// Adds a tile to the sums of dy and dy · x.
  void add(const Numbers& gradient, const Numbers& x, std::size_t length);

  /// Mean and (biased) variance by channel, of what was added, `pixels` in all.
  struct Statistics {
    std::vector<double> mean;
    std::vector<double> variance;
  };
  [[nodiscard]] Statistics statistics(double pixels) const;

  /// From now on that is what x is normalized by.
  void set(const Statistics& statistics, std::span<const float> scale, std::span<const float> shift);
  /// y ← x, a tile.
  void normalize(const Numbers& x, std::span<float> y) const;

  /// Gradients of scale, Σ dy · x̂, and shift, Σ dy, from what was added. `scale` is that of set(). What
  /// gradient() needs is ready then.
  void finish_gradients(double pixels, std::span<const float> scale, std::span<float> scale_gradient,
                        std::span<float> shift_gradient);
  /// dx = a · (dy - mean(dy) - x̂ · mean(dy · x̂)) with x̂ = (x - mean) / deviation, of a tile.
  void gradient(const Numbers& gradient, const Numbers& x, std::span<float> dx) const;

 private:
  double epsilon_;
  std::size_t channels_;
  std::vector<double> mean_;
  std::vector<double> inverse_deviation_;
  std::vector<double> sums_;      ///< of x, or of dy
  std::vector<double> products_;  ///< of x · x, or of dy · x
  // Over a period:
  AlignedVector<float> factor_;    ///< a
  AlignedVector<float> addend_;    ///< b
  AlignedVector<float> x_factor_;  ///< dx = a · dy + x_factor · x + constant
  AlignedVector<float> constant_;
  AlignedVector<float> lanes_;
  AlignedVector<float> more_lanes_;
};

}  // namespace adapt
