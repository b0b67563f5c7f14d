#pragma once

#include <cstddef>
#include <cstdint>
#include <dnnl.hpp>
#include <span>

#include "nn/kernels/byte_product.hpp"
#include "nn/kernels/onednn.hpp"
#include "nn/kernels/window_product.hpp"

namespace adapt {

/// A product of bytes by oneDNN: fast, and exact where takes(), the known answer (known_answer.hpp) is
/// given, and no sum can reach kExactSums, since the library brings its 32-bit sums through float32.
class LibraryProduct : public ByteProduct {
 public:
  static constexpr std::int64_t kExactSums = std::int64_t{1} << 24;

  /// False for shapes that oneDNN refuses, of which a row of pixels or more is in no window, and for
  /// transposed products, which it gets wrong for some shapes (up to 3.x, without AMX).
  static bool takes(const WindowProduct& product);

  explicit LibraryProduct(const WindowProduct& product);

  /// Whether it has nothing but loops for this shape.
  [[nodiscard]] bool is_reference() const { return is_reference_; }

  void set_weights(std::span<const std::int8_t> weights) override;
  /// All sums are one piece.
  void run(const void* source, SumSink& sums) override;
  /// Runs it and says whether it left alone what lies beside its scratchpad.
  bool stays_within_bounds(const void* source, std::int32_t* sums);

 private:
  onednn::Arguments arguments(const void* source, std::int32_t* sums);

  std::size_t sums_;  ///< of all images
  dnnl::memory::dims dims_;
  bool is_reference_ = false;
  dnnl::primitive primitive_;
  dnnl::memory weights_;  ///< in the layout that the primitive likes
  dnnl::memory source_;
  dnnl::memory destination_;
};

}  // namespace adapt
