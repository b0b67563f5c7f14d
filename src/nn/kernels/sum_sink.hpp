#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>

#include "base/aligned.hpp"
#include "numerics/channels.hpp"
#include "numerics/vector/product.hpp"

namespace adapt {

/// Takes the sums of a product, (N, H, W, O), piece by piece in their order, so that what is made of a piece
/// finds it in the cache; one piece may be all of them. Pieces begin at multiples of the channels' period
/// (numerics/channels.hpp).
class SumSink {
 public:
  virtual ~SumSink() = default;
  SumSink() = default;
  SumSink(const SumSink&) = delete;
  SumSink& operator=(const SumSink&) = delete;

  /// Where the next piece is to be written, `count` sums from number `first` on.
  virtual std::int32_t* room(std::size_t first, std::size_t count) = 0;
  /// It is written.
  virtual void take(std::size_t first, std::size_t count) = 0;
};

/// All sums, side by side.
class WholeSums : public SumSink {
 public:
  explicit WholeSums(std::int32_t* sums) : sums_(sums) {}

  std::int32_t* room(std::size_t first, std::size_t /*count*/) override { return sums_ + first; }
  void take(std::size_t /*first*/, std::size_t /*count*/) override {}

 private:
  std::int32_t* sums_;
};

/// Hands each piece to `consumer(first, sums)`, and forgets it.
template <class Consumer>
class PassingSums : public SumSink {
 public:
  /// The pieces stand in `memory` in turn.
  PassingSums(AlignedVector<std::int32_t>& memory, Consumer consumer)
      : memory_(memory), consumer_(std::move(consumer)) {}

  std::int32_t* room(std::size_t /*first*/, std::size_t count) override {
    if (memory_.size() < count) {
      memory_.resize(count);
    }
    return memory_.data();
  }
  void take(std::size_t first, std::size_t count) override {
    consumer_(first, std::span<const std::int32_t>(memory_).first(count));
  }

 private:
  AlignedVector<std::int32_t>& memory_;
  Consumer consumer_;
};

/// A piece of a product with so many channels has a multiple of so many windows: whole blocks of a matrix
/// product and whole periods.
inline std::size_t piece_unit(std::size_t channels) {
  return std::lcm(vector::kProductTile, std::max<std::size_t>(channel_period(channels) / channels, 1));
}

/// Windows of a piece.
inline std::size_t piece_windows(std::size_t channels) {
  constexpr std::size_t kUsual = 128;  // what is laid out for them stays in the second cache
  const std::size_t unit = piece_unit(channels);
  return (kUsual + unit - 1) / unit * unit;
}

}  // namespace adapt
