#pragma once

#include <functional>

#include "nn/inference/steps.hpp"
#include "nn/quantized/lowered_product.hpp"

namespace adapt {

/// An integer product of an inference with all that is folded into it, by our own products and loops.
class ByteProduct {
 public:
  /// For `images` images.
  ByteProduct(const StepParts& parts, int images);

  /// `destination` holds the residual before, where there is one.
  void run(const void* source, void* destination);

 private:
  FoldedProduct product_;
  bool has_residual_;
  NumberType residual_type_;
  NumberType type_;  ///< of the destination
  LoweredProduct lowered_;
  std::vector<std::int32_t> sums_;
};

/// `library`, which runs an integer product by oneDNN on the memory of `parts`, if it is found to be right;
/// else a ByteProduct in its place, and a line in the log. It is tried on the whole range of bytes in the
/// memory of the step, whose content is lost.
std::function<void()> checked_product(const StepParts& parts, std::function<void()> library);

}  // namespace adapt
