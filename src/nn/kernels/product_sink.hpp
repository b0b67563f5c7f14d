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

/// Takes what a product makes, (N, H, W, O), piece by piece in their order, so that what is made of a piece
/// finds it in the cache; one piece may be all of it. Pieces begin at multiples of the channels' period
/// (numerics/channels.hpp).
template <class Number>
class ProductSink {
 public:
  virtual ~ProductSink() = default;
  ProductSink() = default;
  ProductSink(const ProductSink&) = delete;
  ProductSink& operator=(const ProductSink&) = delete;

  /// Where the next piece is to be written, `count` numbers from number `first` on.
  virtual Number* room(std::size_t first, std::size_t count) = 0;
  /// It is written.
  virtual void take(std::size_t first, std::size_t count) = 0;
};

/// Of 32-bit sums.
using SumSink = ProductSink<std::int32_t>;

/// All numbers, side by side.
template <class Number>
class WholeSink : public ProductSink<Number> {
 public:
  explicit WholeSink(Number* numbers) : numbers_(numbers) {}

  Number* room(std::size_t first, std::size_t /*count*/) override { return numbers_ + first; }
  void take(std::size_t /*first*/, std::size_t /*count*/) override {}

 private:
  Number* numbers_;
};

/// Hands each piece to `consumer(first, numbers)`, and forgets it.
template <class Number, class Consumer>
class PassingSink : public ProductSink<Number> {
 public:
  /// The pieces stand in `memory` in turn.
  PassingSink(AlignedVector<Number>& memory, Consumer consumer)
      : memory_(memory), consumer_(std::move(consumer)) {}

  Number* room(std::size_t /*first*/, std::size_t count) override {
    if (memory_.size() < count) {
      memory_.resize(count);
    }
    return memory_.data();
  }
  void take(std::size_t first, std::size_t count) override {
    consumer_(first, std::span<const Number>(memory_).first(count));
  }

 private:
  AlignedVector<Number>& memory_;
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
