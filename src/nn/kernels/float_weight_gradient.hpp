#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "base/aligned.hpp"
#include "nn/kernels/canvas.hpp"
#include "nn/kernels/depthwise.hpp"
#include "nn/kernels/gradient_groups.hpp"
#include "nn/kernels/window_product.hpp"
#include "numerics/vector/product.hpp"

namespace adapt {

/// Memory that weight gradients in float32 share, one after the other.
struct FloatGradientScratch {
  AlignedVector<float> x;   ///< of the images of a slice, as they are read
  AlignedVector<float> dy;  ///< the same, the channels in whole panels
  std::vector<vector::PixelRun> runs;
  AlignedVector<float> sums;   ///< by band, term of a band, and channel of dY, in whole panels
  AlignedVector<double> wide;  ///< the same, of all pieces before; empty: none
  GroupChannels<float> group;
};

/// The weight gradient of a layer in float32, with bits that are the same on every processor: sums over a
/// piece are fma(x, dy, ·), from 0 on, pieces are added up in doubles and rounded once. A piece is as many
/// whole slices as have at most kPiece pixels of dY, a slice as many images as have at most kSlice, but one
/// at least. Pixels of a slice come in the order of memory, on maps of at most kSmallMap pixels those of the
/// same place together. A result of -0 is 0; of numbers that are not finite, those meet the zeros of the
/// border, too. Sums of depthwise layers are doubles throughout.
class FloatWeightGradient {
 public:
  static constexpr std::size_t kSlice = 1024;  ///< what is made of it stays in the second cache
  static constexpr std::size_t kPiece = 4096;
  static constexpr std::size_t kSmallMap = 64;

  explicit FloatWeightGradient(const ProductGeometry& layer);

  /// weights (OC, IC / groups, KH, KW) ← x (N, H, W, IC), dy (N, OH, OW, OC).
  void run(const float* x, const float* dy, float* weights, FloatGradientScratch& scratch) const;

 private:
  void run_group(const float* x, const float* dy, float* weights, FloatGradientScratch& scratch) const;
  /// Adds the products of `count` images of which these are the first elements: on small maps weight by
  /// weight, over the pixels that it joins; else kernel row by kernel row, over all pixels on canvases.
  void add_small_maps(const float* x, const float* dy, std::size_t count,
                      FloatGradientScratch& scratch) const;
  void add_canvases(const float* x, const float* dy, std::size_t count, FloatGradientScratch& scratch) const;
  /// dY with its channels in whole panels.
  [[nodiscard]] const float* padded(const float* dy, std::size_t pixels, FloatGradientScratch& scratch) const;
  /// Adds the products of the pixels for the terms of a band that begin with element `left` of each.
  void add_band(const vector::PixelRuns& pixels, std::size_t band, std::size_t left,
                FloatGradientScratch& scratch) const;
  void widen(FloatGradientScratch& scratch) const;
  void store(float* weights, const FloatGradientScratch& scratch) const;

  ProductGeometry layer_;
  ProductGeometry geometry_;  ///< of a group
  WindowProduct window_;      ///< its forward product
  Canvas canvas_;             ///< of an image
  std::optional<DepthwiseWeightGradient<float>> depthwise_;
  std::size_t pixels_;    ///< of an image of dY
  std::size_t inputs_;    ///< channels of x
  std::size_t channels_;  ///< of dY
  std::size_t columns_;   ///< the same in whole panels
  bool is_small_map_;
  std::size_t bands_;  ///< weights, or kernel rows
  std::size_t terms_;  ///< of a band
  std::size_t rows_;   ///< the same in whole blocks
};

}  // namespace adapt
