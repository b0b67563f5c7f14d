#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <dnnl.hpp>
#include <memory>
#include <span>

#include "nn/graph.hpp"
#include "nn/network_memory.hpp"
#include "numerics/channels.hpp"

namespace adapt {

/// An activation or a gradient of a quantized network, (N, H, W, C): float32, or integers · step that stand
/// for the same numbers until somebody needs float32.
///
/// Layers of a quantized network go through their tensors in tiles that stay in the first cache: a tile is
/// brought to float32, everything is done to it, and the result is stored once. Tiles begin at multiples of
/// the channels' period (numerics/channels.hpp) and of the random numbers' blocks.
class Value {
 public:
  enum class Form { floats, sums, bytes };

  /// What stands in a value. Gradients that take turns in one buffer, or share it, share it, too.
  struct Content {
    Form form = Form::floats;
    const std::int8_t* bytes = nullptr;
    const std::int32_t* sums = nullptr;
    float step = 1;  ///< of integers
  };

  Value() = default;
  /// `memory` stands in `buffer`; null for an image, whose memory moves with each batch.
  Value(const Shape& shape, const dnnl::memory& memory, Buffer* buffer, std::shared_ptr<Content> content);

  [[nodiscard]] const dnnl::memory& memory() const { return memory_; }
  /// The buffer, which has memory from now on.
  [[nodiscard]] std::span<float> floats() const;
  /// The same memory, for 32-bit sums.
  [[nodiscard]] std::int32_t* sums() const;
  [[nodiscard]] std::size_t elements() const { return elements_; }
  [[nodiscard]] std::size_t channels() const { return channels_; }
  [[nodiscard]] std::size_t period() const { return period_; }
  explicit operator bool() const { return static_cast<bool>(memory_); }

  /// Says in which form the numbers are. Integers may stand elsewhere than in the value's own memory.
  void set_floats() { content_->form = Form::floats; }
  /// For a layer that writes the memory itself: floats(), and set_floats().
  void make_floats();
  void set_bytes(const std::int8_t* bytes, float step);
  void set_sums(const std::int32_t* sums, float step);

  /// The numbers from `first` on as they stand.
  [[nodiscard]] Numbers numbers(std::size_t first) const;
  /// The numbers from `first` on as float32: in place, or written to `tile`.
  [[nodiscard]] std::span<const float> read(std::size_t first, std::span<float> tile) const;
  /// Makes the value's own memory hold the numbers as float32.
  void materialize();

  /// Elements of a tile.
  [[nodiscard]] std::size_t tile() const { return tile_; }
  /// Calls `body(first, length)` for each tile.
  template <class Body>
  void each_tile(Body body) const {
    for (std::size_t first = 0; first < elements_; first += tile_) {
      body(first, std::min(tile_, elements_ - first));
    }
  }

 private:
  dnnl::memory memory_;
  Buffer* buffer_ = nullptr;
  std::size_t elements_ = 0;
  std::size_t channels_ = 0;
  std::size_t period_ = 0;
  std::size_t tile_ = 0;
  std::shared_ptr<Content> content_;
};

}  // namespace adapt
