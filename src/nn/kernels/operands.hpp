#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "base/aligned.hpp"
#include "numerics/dispatch.hpp"
#include "numerics/format.hpp"

namespace adapt {

// What a matrix product multiplies: the elements of a layer's tensors, as they stand in rows of the left
// matrix and in panels of the right one (numerics/vector/product.hpp).

/// Bytes, for processors that multiply them. Those on the left are unsigned: 128 is added to signed ones.
struct ByteOperands {
  using Integer = std::int8_t;
  using Left = std::uint8_t;
  using Right = std::int8_t;
  static constexpr std::size_t kGroup = vector::kByteGroup;
  static constexpr Left kZero = 128;  ///< what zero is on the left

  static const vector::ByteProducts& products() { return *vector::level().bytes; }

  static void transpose(const Integer* src, std::size_t rows, std::size_t columns, Left* dst,
                        std::size_t dst_stride) {
    vector::kernels().transpose_bytes(src, rows, columns, dst, dst_stride);
  }
  static void pack(const Integer* src, std::size_t rows, std::size_t columns, Right* dst,
                   std::size_t panel_stride) {
    vector::kernels().pack_bytes(src, rows, columns, dst, panel_stride);
  }
};

/// 16-bit words; bytes, too, where the processor multiplies none.
struct WordOperands {
  using Integer = std::int16_t;
  using Left = std::int16_t;
  using Right = std::int16_t;
  static constexpr std::size_t kGroup = vector::kWordGroup;
  static constexpr Left kZero = 0;

  static const vector::WordProducts& products() { return *vector::level().words; }

  static void transpose(const Integer* src, std::size_t rows, std::size_t columns, Left* dst,
                        std::size_t dst_stride) {
    vector::kernels().transpose_words(src, rows, columns, dst, dst_stride);
  }
  static void pack(const Integer* src, std::size_t rows, std::size_t columns, Right* dst,
                   std::size_t panel_stride) {
    vector::kernels().pack_words(src, rows, columns, dst, panel_stride);
  }
};

// Where the elements of a tensor are copied from.

/// Elements `first` to `first` + `count` of a source, in `room`.
template <class Source, class To>
const To* copied(const Source& source, std::size_t first, std::size_t count, AlignedVector<To>& room) {
  if (room.size() < count) {
    room.resize(count);
  }
  source.copy(first, count, room.data());
  return room.data();
}

/// Bytes, signed or not.
template <class Byte>
struct ByteSource {
  const Byte* bytes;
  std::uint8_t zero = 0;  ///< what zero becomes: 0, or 128 where signed bytes become unsigned ones

  template <class To>
  void copy(std::size_t first, std::size_t count, To* to) const {
    if constexpr (std::is_same_v<Byte, To>) {
      std::copy_n(bytes + first, count, to);
    } else {
      const Byte* const from = bytes + first;
      const std::uint8_t difference = zero;  // a copy that writing to `to` cannot change
#pragma GCC ivdep
      for (std::size_t i = 0; i < count; ++i) {
        to[i] = static_cast<To>(from[i] ^ difference);
      }
    }
  }

  /// The same side by side: in `room`, or where they stand, if these are what is wanted.
  template <class To>
  const To* line(std::size_t first, std::size_t count, AlignedVector<To>& room) const {
    if constexpr (std::is_same_v<Byte, To>) {
      return bytes + first;
    } else {
      return copied(*this, first, count, room);
    }
  }
};

/// Float32 numbers.
struct FloatSource {
  const float* numbers;

  void copy(std::size_t first, std::size_t count, float* to) const {
    std::copy_n(numbers + first, count, to);
  }
};

/// A tensor on the grid of a format: as float32 numbers, or as its integers, if these are 16-bit words.
struct GridTensor {
  const float* numbers = nullptr;
  FixedFormat format;
  std::int32_t largest = 0;             ///< no integer has a larger magnitude
  const std::int16_t* words = nullptr;  ///< where they are there, instead of numbers
};

/// Words of the integers of such a tensor, or a part of each.
class GridSource {
 public:
  explicit GridSource(const GridTensor& tensor, vector::WordPart part = vector::kWholeWord)
      : tensor_(tensor), part_(part) {}

  void copy(std::size_t first, std::size_t count, std::int16_t* to) const {
    if (tensor_.words == nullptr) {
      vector::kernels().words_of(tensor_.numbers + first, to, count, tensor_.format.scale(), part_);
      return;
    }
    const std::int16_t* const from = tensor_.words + first;
    const vector::WordPart part = part_;  // a copy that writing to `to` cannot change
    for (std::size_t i = 0; i < count; ++i) {
      to[i] = static_cast<std::int16_t>(std::int32_t{from[i]} >> part.shift & part.mask);
    }
  }

  const std::int16_t* line(std::size_t first, std::size_t count, AlignedVector<std::int16_t>& room) const {
    const bool are_whole = part_.shift == 0 && part_.mask == vector::kWholeWord.mask;
    return tensor_.words != nullptr && are_whole ? tensor_.words + first : copied(*this, first, count, room);
  }

 private:
  GridTensor tensor_;
  vector::WordPart part_;
};

}  // namespace adapt
