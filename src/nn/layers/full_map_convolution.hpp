#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "nn/layer.hpp"

namespace adapt {

/// Whether every window of a convolution without groups covers the whole map, as 3x3 windows with padding 1
/// do on a map of 2x2, and its dense form is at most twice as large as its weights. False for linear layers.
bool is_full_map(const ProductTerms& terms, const Shape& input, const Shape& output);

/// How the weights of a convolution with `is_full_map()` stand in the matrix of a linear layer over the
/// flattened map, (OH, OW, OC) x (H, W, IC).
class FullMapExpansion {
 public:
  FullMapExpansion(const Window& window, const Shape& input, const Shape& output);

  [[nodiscard]] std::size_t rows() const { return outputs_ * out_channels_; }   ///< OH · OW · OC
  [[nodiscard]] std::size_t columns() const { return inputs_ * in_channels_; }  ///< H · W · IC
  [[nodiscard]] std::size_t repetitions() const { return outputs_; }            ///< of each output channel

  /// `dense` (rows, columns) from `weights` (OC, IC, KH, KW). Every place of `dense` is joined, so all of it
  /// is written.
  void expand(std::span<const float> weights, std::span<float> dense);
  /// The way back for gradients: each weight gets the sum over the places where `dense` repeats it.
  void fold(std::span<const float> dense, std::span<float> weights);

 private:
  /// Which weight of the window joins an output place and an input place.
  struct Join {
    std::size_t output;  ///< index into (OH, OW)
    std::size_t input;   ///< index into (H, W)
    std::size_t tap;     ///< index into (KH, KW)
  };

  /// Where the matrix keeps what `join` joins, for one output channel: IC values.
  [[nodiscard]] std::size_t segment(const Join& join, std::size_t channel) const {
    return ((join.output * out_channels_ + channel) * inputs_ + join.input) * in_channels_;
  }

  std::vector<Join> joins_;
  std::size_t outputs_;
  std::size_t inputs_;
  std::size_t taps_;
  std::size_t out_channels_;
  std::size_t in_channels_;
  AlignedVector<float>
      rows_;  ///< of one output channel, (KH, KW, IC): neighbours are neighbours in both forms
};

/// A convolution with `is_full_map()`: each output reads each input, so it is a linear layer over the
/// flattened map (H, W, IC) → (OH, OW, OC) whose matrix repeats the weights. As a matrix product it runs at
/// several times the speed of a convolution, which spends its time on windows that are mostly padding. Shapes
/// and meaning are those of make_convolution; only the order of the sums differs.
std::unique_ptr<Layer> make_full_map_convolution(const ProductTerms& terms, const LayerParts& parts,
                                                 Parameter& weight, Parameter* bias);

/// A convolution in its faster form: as a linear layer where is_full_map().
std::unique_ptr<Layer> make_faster_convolution(const ProductTerms& terms, const LayerParts& parts,
                                               Parameter& weight, Parameter* bias);

}  // namespace adapt
