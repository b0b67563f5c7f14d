#include "numerics/packing.hpp"

#include <algorithm>
#include <bit>
#include <type_traits>

#include "base/error.hpp"
#include "numerics/dispatch.hpp"

namespace adapt {
namespace {

constexpr std::size_t kHeader = 2;  // width, shift

template <class T>
const vector::PackingKernels<T>& packing() {
  if constexpr (sizeof(T) == sizeof(std::int32_t)) {
    return vector::kernels().packing32;
  } else {
    return vector::kernels().packing64;
  }
}

std::size_t payload(int width) { return kPackedBlock / 8 * static_cast<std::size_t>(width); }

void require_blocks(std::size_t values) {
  if (values % kPackedBlock != 0) {
    throw Failure(concat("packing: ", values, " values are no whole number of blocks of ", kPackedBlock));
  }
}

template <class T, class Unpack>
void unpack_blocks(std::span<const std::byte> packed, std::span<T> values, Unpack unpack_block) {
  require_blocks(values.size());
  std::size_t at = 0;
  for (std::size_t first = 0; first < values.size(); first += kPackedBlock) {
    const bool has_header = packed.size() - at >= kHeader;
    const int width = has_header ? std::to_integer<int>(packed[at]) : 0;
    const int shift = has_header ? std::to_integer<int>(packed[at + 1]) : 0;
    at += kHeader;
    constexpr int kBits = 8 * static_cast<int>(sizeof(T));
    if (!has_header || width + shift > kBits || packed.size() - at < payload(width)) {
      throw Failure(concat("packed integers do not fit at byte ", at, " of ", packed.size(), ": width ",
                           width, ", shift ", shift));
    }
    unpack_block(reinterpret_cast<const unsigned char*>(packed.data() + at), shift, width, &values[first]);
    at += payload(width);
  }
  if (at != packed.size()) {
    throw Failure(concat("packed integers end at byte ", at, " of ", packed.size()));
  }
}

/// The smallest s at which the values, rounded either way to multiples of 2^s, are `bits` bits times 2^s.
template <class T>
int rounding_shift(std::span<const T> block, int bits) {
  T lowest = 0;  // 0 is always within the bounds
  T highest = 0;
  for (const T value : block) {  // compilers make vector code of this, not of std::minmax
    lowest = value < lowest ? value : lowest;
    highest = value > highest ? value : highest;
  }
  const T limit = T{1} << (bits - 1);
  int shift = 0;
  const auto up = [&] { return (highest >> shift) + ((highest & ((T{1} << shift) - 1)) != 0 ? 1 : 0); };
  while ((lowest >> shift) < -limit || up() > limit - 1) {
    ++shift;
  }
  return shift;
}

}  // namespace

template <class T>
std::size_t pack(std::span<const T> values, std::span<std::byte> dst) {
  require_blocks(values.size());
  std::size_t at = 0;
  for (std::size_t first = 0; first < values.size(); first += kPackedBlock) {
    using Unsigned = std::make_unsigned_t<T>;
    const vector::PackedBits<T> bits = packing<T>().scan(&values[first]);
    const int shift = bits.any == 0 ? 0 : std::countr_zero(static_cast<Unsigned>(bits.any));
    const int width =
        bits.any == 0 ? 0
                      : static_cast<int>(std::bit_width(static_cast<Unsigned>(bits.magnitudes))) + 1 - shift;
    dst[at] = static_cast<std::byte>(width);
    dst[at + 1] = static_cast<std::byte>(shift);
    at += kHeader;
    if (width > 0) {
      packing<T>().pack(&values[first], shift, width, reinterpret_cast<unsigned char*>(&dst[at]));
    }
    at += payload(width);
  }
  return at;
}

template <class T>
void unpack(std::span<const std::byte> packed, std::span<T> values) {
  unpack_blocks(packed, values, [](const unsigned char* src, int shift, int width, T* dst) {
    if (width > 0) {
      packing<T>().unpack(src, shift, width, dst);
    } else {
      std::fill_n(dst, kPackedBlock, T{0});
    }
  });
}

template <class T>
void unpack_add(std::span<const std::byte> packed, std::span<T> values) {
  unpack_blocks(packed, values, [](const unsigned char* src, int shift, int width, T* dst) {
    if (width > 0) {
      packing<T>().unpack_add(src, shift, width, dst);
    }
  });
}

std::size_t packed_length(std::span<const std::byte> packed, std::size_t values) {
  require_blocks(values);
  std::size_t at = 0;
  for (std::size_t first = 0; first < values; first += kPackedBlock) {
    at += at < packed.size() ? kHeader + payload(std::to_integer<int>(packed[at])) : kHeader;
  }
  if (at > packed.size()) {
    throw Failure(concat("packed integers end at byte ", packed.size(), ", expected ", at));
  }
  return at;
}

template <class T>
void round_to_bits(std::span<T> values, int bits, const RandomKey& key, std::size_t first_block) {
  require_blocks(values.size());
  constexpr std::size_t kPieces = 8;  // of a random block
  const auto start = static_cast<std::uint32_t>(first_block * (kPackedBlock / kPieces));
  const vector::Sequence random = vector::sequence_of(key, start);
  for (std::size_t first = 0; first < values.size(); first += kPackedBlock) {
    const std::span<T> block = values.subspan(first, kPackedBlock);
    const int shift = rounding_shift<T>(block, bits);
    if (shift > 0) {
      packing<T>().round(block.data(), shift, random, static_cast<std::uint32_t>(first / kPackedBlock));
    }
  }
}

#define ADAPT_PACKING_OF(T)                                               \
  template std::size_t pack<T>(std::span<const T>, std::span<std::byte>); \
  template void unpack<T>(std::span<const std::byte>, std::span<T>);      \
  template void unpack_add<T>(std::span<const std::byte>, std::span<T>);  \
  template void round_to_bits<T>(std::span<T>, int, const RandomKey&, std::size_t);

ADAPT_PACKING_OF(std::int32_t)
ADAPT_PACKING_OF(std::int64_t)
#undef ADAPT_PACKING_OF

}  // namespace adapt
