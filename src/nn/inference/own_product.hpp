#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "nn/inference/steps.hpp"
#include "nn/kernels/byte_product.hpp"

namespace adapt {

/// A product of an inference with all that is folded into it, by our own products and loops.
class OwnProduct {
 public:
  /// For `images` images.
  OwnProduct(const StepParts& parts, int images);

  /// `destination` holds the residual before, where there is one.
  void run(const void* source, void* destination);

 private:
  void sum(const void* source);
  void sum_floats(const void* source);

  FoldedProduct product_;
  WindowProduct window_;
  bool has_residual_;
  NumberType source_type_;
  NumberType residual_type_;
  NumberType type_;                     ///< of the destination
  std::unique_ptr<ByteProduct> bytes_;  ///< unless the source is of floats
  std::vector<std::int32_t> byte_sums_;
  std::vector<float> sums_;
};

/// `library`, which runs a product by oneDNN on the memory of `parts`, if it is found to be right; else an
/// OwnProduct in its place, and a line in the log. It is tried on the whole range of bytes in the memory of
/// the step, whose content is lost.
std::function<void()> checked_product(const StepParts& parts, std::function<void()> library);

}  // namespace adapt
