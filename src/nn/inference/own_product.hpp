#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/aligned.hpp"
#include "nn/inference/steps.hpp"
#include "nn/kernels/byte_product.hpp"
#include "numerics/epilogue.hpp"

namespace adapt {

/// What a product multiplies, on so many images.
WindowProduct window_of(const FoldedProduct& product, int images);

/// Number `i` of those of a type that stand from `data` on.
float number_at(const void* data, NumberType type, std::size_t i);
/// Stores one as a value does: rounded to nearest and clamped where it is a byte. NaN becomes the greatest
/// byte, as in numerics/epilogue.hpp.
void store(void* data, NumberType type, std::size_t i, float number);

/// A product of an inference with all that is folded into it, by our own products: bytes by those of
/// nn/kernels/byte_product.hpp, floats by loops.
class OwnProduct {
 public:
  /// For `images` images.
  OwnProduct(const StepParts& parts, int images);

  /// `destination` holds the residual before, where there is one.
  void run(const void* source, void* destination);

 private:
  /// Neighbouring images, which a thread works off; of bytes.
  struct Part {
    int first_image;
    std::unique_ptr<ByteProduct> bytes;
    AlignedVector<std::int32_t> piece;
    std::vector<float> numbers;
  };

  void make_parts();
  void run_part(Part& part, const void* source, void* destination) const;
  /// Of the sums from number `first` of the part on, for a destination that begins where the part does.
  void finish(Part& part, std::size_t first, std::span<const std::int32_t> sums, void* destination) const;
  template <class Sum>
  void finish_each(std::size_t first, std::span<const Sum> sums, void* destination) const;
  void sum_floats(const void* source);

  FoldedProduct product_;
  WindowProduct window_;
  bool has_residual_;
  NumberType source_type_;
  NumberType residual_type_;
  NumberType type_;             ///< of the destination
  std::vector<float> factors_;  ///< by channel, a whole period of them
  std::vector<float> addends_;
  std::vector<Part> parts_;  ///< none where the source is of floats
  std::vector<float> sums_;  ///< of floats
};

/// What runs the product of `parts` by an OwnProduct.
std::function<void()> own_product(const StepParts& parts);

}  // namespace adapt
