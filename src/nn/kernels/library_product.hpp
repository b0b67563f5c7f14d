#pragma once

#include <cstdint>
#include <dnnl.hpp>
#include <span>

#include "nn/kernels/onednn.hpp"
#include "nn/kernels/window_product.hpp"

namespace adapt {

/// A product of bytes by oneDNN: fast, and exact where takes(), the known answer (known_answer.hpp) is
/// given, and no sum can reach kExactSums, since the library brings its 32-bit sums through float32.
class LibraryProduct {
 public:
  static constexpr std::int64_t kExactSums = std::int64_t{1} << 24;

  /// False for shapes that oneDNN refuses, of which a row of pixels or more is in no window, and for
  /// transposed products, which it gets wrong for some shapes (up to 3.x, without AMX).
  static bool takes(const WindowProduct& product);

  explicit LibraryProduct(const WindowProduct& product);

  /// Whether it has nothing but loops for this shape.
  [[nodiscard]] bool is_reference() const { return is_reference_; }

  /// `weights` are (O, I / groups, KH, KW).
  void set_weights(std::span<const std::int8_t> weights);
  void run(const std::int8_t* source, std::int32_t* sums);
  /// Runs it and says whether it left alone what lies beside its scratchpad.
  bool stays_within_bounds(const std::int8_t* source, std::int32_t* sums);

 private:
  onednn::Arguments arguments(const std::int8_t* source, std::int32_t* sums);

  dnnl::memory::dims dims_;
  bool is_reference_ = false;
  dnnl::primitive primitive_;
  dnnl::memory weights_;  ///< in the layout that the primitive likes
  dnnl::memory source_;
  dnnl::memory destination_;
};

}  // namespace adapt
