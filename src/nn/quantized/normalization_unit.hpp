#pragma once

#include <optional>
#include <vector>

#include "nn/kernels/batch_norm.hpp"
#include "nn/layer.hpp"
#include "nn/quantized/product_unit.hpp"
#include "nn/quantized/quantizer.hpp"
#include "nn/quantized/value.hpp"

namespace adapt {

/// What a normalization unit is made of: a batch norm and what can be done to its output on the way.
struct NormalizationParts {
  const GraphNode* normalization = nullptr;
  const GraphNode* operand = nullptr;  ///< the quantization of its output to a residual sum; or null
  const GraphNode* sum = nullptr;      ///< of that operand and another value; or null
  bool rectifies = false;              ///< ReLU at the end
  Parameter* scale = nullptr;
  Parameter* shift = nullptr;
  RunningStatistics* statistics = nullptr;
  Value* source = nullptr;
  Value* other = nullptr;                ///< what is added to the operand; or null
  Value* destination = nullptr;          ///< the end of the chain
  Value* gradient = nullptr;             ///< of the end of the chain; null at inference, as all below
  Value* sum_gradient = nullptr;         ///< with `other`: of the sum, behind ReLU's
  Value* normalized_gradient = nullptr;  ///< with `other`: of the batch norm's output
  Value* source_gradient = nullptr;      ///< null: not wanted
  ProductUnit* producer = nullptr;       ///< whose output the source is; or null
  std::vector<ProductUnit*> consumers;   ///< whose input the destination is
  bool floats_needed = true;             ///< somebody else reads the destination
};

/// Batch normalization per channel (nn/kernels/batch_norm.hpp), and after it, where the graph has them, the
/// quantization of a residual operand, the sum and ReLU, in one pass over memory. In training mean and
/// (biased) variance are those of the shard, and stay in RunningStatistics::shard_*; at inference the running
/// ones.
class NormalizationUnit {
 public:
  NormalizationUnit(const NormalizationParts& parts, bool training, SharedScratch& scratch);

  /// Statistics (in training) and coefficients: once the source is there.
  void prepare(Pass& pass);
  /// Everything up to the end of the chain, and the consumers' quantizations.
  void apply(Pass& pass);

  /// With a sum: ReLU's gradient, for both of its operands, and the batch's sums.
  void begin_backward(Pass& pass);
  /// Gradients of the parameters and of the source.
  void backward(Pass& pass);

 private:
  /// Gradient of the batch norm's output.
  Numbers normalized_gradient(std::size_t first);
  /// Which of the numbers from `first` on ReLU let pass; null where there is none.
  const std::uint8_t* mask_from(std::size_t first);
  void source_backward(Pass& pass, bool hands_over);
  // Room for tiles of what is computed from the source, and of something else.
  std::span<float> tile(std::size_t length) { return std::span(scratch_.tiles[1]).first(length); }
  std::span<float> other_tile(std::size_t length) { return std::span(scratch_.tiles[2]).first(length); }

  NormalizationParts parts_;
  bool training_;
  SharedScratch& scratch_;
  BatchNormKernel kernel_;
  double pixels_;  ///< of all images
  std::optional<Quantizer> operand_;
  Arena::Block mask_;  // one bit for each element: ReLU let it pass. From forward to backward
};

}  // namespace adapt
