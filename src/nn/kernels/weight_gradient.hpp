#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/aligned.hpp"
#include "nn/kernels/depthwise.hpp"
#include "nn/kernels/window_product.hpp"

namespace adapt {

/// Memory that weight gradients of many layers share, one after the other.
struct WeightGradientScratch {
  AlignedVector<std::int8_t> staged;      ///< images of some, with their borders
  AlignedVector<std::uint8_t> left;       ///< rows of the left matrix
  AlignedVector<std::int8_t> right;       ///< panels of the right matrix
  std::vector<const std::uint8_t*> rows;  ///< blocks of the left matrix
  AlignedVector<std::int32_t> sums;
  std::vector<std::int64_t> wide;  ///< the same, of several pieces of the depth
  std::vector<std::int8_t> x;      ///< a group's channels
  std::vector<std::int8_t> dy;
};

/// The weight gradient of a layer in 8-bit arithmetic, exact for any bytes and any number of pixels: sums
/// that may not fit 32 bits are made in pieces.
///
/// dW(kh, kw, ic; oc) = sum over pixels of X(pixel + (kh, kw), ic) · dY(pixel, oc) is a matrix product whose
/// depth is the pixels. Both sides are laid out on one grid per image, of output size plus border: dY is zero
/// on the border, so a shift by (kh, kw) is an offset into the rows of X, and one transposed copy of X serves
/// all shifts. Where padding stands on both sides of an image, one border serves the end of a row and the
/// beginning of the next, and so for images. A stride s turns X into s × s times the channels on a grid s
/// times coarser (space to depth), after which all shifts have stride 1. Groups are done one after the other
/// on copies of their channels, depthwise layers by a kernel of their own.
class WeightGradient {
 public:
  explicit WeightGradient(const ProductGeometry& layer);

  /// weights (OC, IC / groups, KH, KW) = sums · step; `bias` (OC), unless null: the sums of dY · bias_step.
  /// `x` is (N, H, W, IC), `dy` (N, OH, OW, OC).
  void run(const std::int8_t* x, const std::int8_t* dy, float step, float bias_step, float* weights,
           float* bias, WeightGradientScratch& scratch) const;

 private:
  /// The same for one group, with its channels only.
  void run_group(const std::int8_t* x, const std::int8_t* dy, float step, float bias_step, float* weights,
                 float* bias, WeightGradientScratch& scratch) const;
  void stage_input(const std::int8_t* image, std::int8_t* staged) const;
  void stage_output(const std::int8_t* image, std::int8_t* staged) const;
  void lay_out(const std::int8_t* x, const std::int8_t* dy, WeightGradientScratch& scratch) const;
  /// Multiplies all rows with `count` panels from `first` on, and writes the weights of their channels.
  void multiply(std::size_t first, std::size_t count, float step, float bias_step, float* weights,
                float* bias, WeightGradientScratch& scratch) const;
  /// The same in pieces of the depth.
  void multiply_pieces(std::size_t first, float step, float bias_step, float* weights, float* bias,
                       WeightGradientScratch& scratch) const;
  /// Channels of a panel.
  [[nodiscard]] int channels_of(std::size_t panel) const;
  void gather(std::size_t panel, const std::int32_t* products, const std::int32_t* column_sums, float step,
              float* weights) const;
  void gather_wide(std::size_t panel, const std::int64_t* sums, float step, float* weights) const;
  /// Where the elements of (IC, KH, KW) stand among the sums of a panel's first channel.
  [[nodiscard]] std::vector<std::int32_t> places() const;

  ProductGeometry layer_;
  ProductGeometry geometry_;  ///< of a group
  std::optional<DepthwiseWeightGradient> depthwise_;
  int phases_;              ///< along one axis: distinct remainders of kh by the stride
  int taps_;                ///< along one axis: shifts of the coarser grid
  int border_;              ///< pixels of padding that neighbouring rows, and images, share
  int grid_width_;          ///< pixels of a row of the grid
  std::size_t grid_;        ///< pixels of an image's grid
  std::size_t tail_;        ///< zero pixels behind the last image, where there is no next one's border
  std::size_t rows_;        ///< of X: phases and channels, in whole tiles
  std::size_t columns_;     ///< of dY: channels, in whole tiles
  std::size_t depth_;       ///< pixels of the batch, in whole steps
  std::size_t row_stride_;  ///< bytes
  std::vector<std::int32_t> places_;
};

}  // namespace adapt
