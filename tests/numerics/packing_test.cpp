#include "numerics/packing.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

#include "base/error.hpp"
#include "numerics/instruction_sets.hpp"
#include "numerics/naive_rounding.hpp"

namespace adapt {
namespace {

/// Random integers of `bits` bits, times 2^shift; the extremes are among them.
template <class T>
std::vector<T> integers(std::size_t size, int bits, int shift, std::uint32_t which) {
  RandomSequence random({.seed = 4, .tensor = which});
  std::vector<T> values(size);
  for (T& value : values) {
    const std::uint64_t word = std::uint64_t{random.bits()} << 32U | random.bits();
    value = static_cast<T>(static_cast<std::int64_t>(word) >> (64 - bits) << shift);
  }
  values[0] = static_cast<T>(T{-1} << (bits - 1 + shift));
  values[1] = static_cast<T>(T{-1} << shift);
  return values;
}

template <class T>
const vector::PackingKernels<T>& packing(const vector::Kernels& kernels) {
  if constexpr (sizeof(T) == 4) {
    return kernels.packing32;
  } else {
    return kernels.packing64;
  }
}

/// The layout, bit by bit: lane l of the 32 bytes of a row holds the bits of values l, l + lanes, ... one
/// after the other, low bits first, in words of T that are as far apart as a row is long.
template <class T>
std::vector<unsigned char> naive_pack(const std::vector<T>& values, int shift, int width) {
  constexpr std::size_t kLanes = 32 / sizeof(T);
  constexpr std::size_t kBits = 8 * sizeof(T);
  std::vector<unsigned char> packed(32 * static_cast<std::size_t>(width));
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (std::size_t bit = 0; bit < static_cast<std::size_t>(width); ++bit) {
      const std::size_t at = i / kLanes * static_cast<std::size_t>(width) + bit;  // in the lane's stream
      const std::size_t byte = at / kBits * 32 + i % kLanes * sizeof(T) + at % kBits / 8;
      const auto value = static_cast<unsigned char>(values[i] >> (static_cast<std::size_t>(shift) + bit) & 1);
      packed[byte] = static_cast<unsigned char>(packed[byte] | value << at % 8);
    }
  }
  return packed;
}

class Packing : public test::EveryInstructionSet {
 protected:
  template <class T>
  void expect_naive_layout(int width, int shift) {
    SCOPED_TRACE(concat(8 * sizeof(T), " bits: width ", width, ", shift ", shift));
    const auto& kernel = packing<T>(kernels());
    const std::vector<T> values = integers<T>(kPackedBlock, width, shift, 1);
    std::vector<unsigned char> packed(32 * static_cast<std::size_t>(width));
    kernel.pack(values.data(), shift, width, packed.data());
    EXPECT_EQ(packed, naive_pack(values, shift, width));
    std::vector<T> back(kPackedBlock, 77);
    kernel.unpack(packed.data(), shift, width, back.data());
    EXPECT_EQ(back, values);
    const std::vector<T> others = integers<T>(kPackedBlock, width < 3 ? width : width - 2, 0, 2);
    back = others;
    kernel.unpack_add(packed.data(), shift, width, back.data());
    for (std::size_t i = 0; i < kPackedBlock; ++i) {
      using Unsigned = std::make_unsigned_t<T>;
      ASSERT_EQ(back[i], static_cast<T>(static_cast<Unsigned>(values[i]) + static_cast<Unsigned>(others[i])));
    }
  }

  template <class T>
  void expect_naive_rounding(int shift) {
    const RandomKey key = {.seed = 8, .stream = Stream::test, .tensor = 5};
    std::vector<T> values = integers<T>(2 * kPackedBlock, 8 * sizeof(T) - 2, 0, 3);
    const std::vector<T> before = values;
    const vector::Sequence sequence = vector::sequence_of(key, 3 * kPackedBlock / 8);
    packing<T>(kernels()).round(&values[kPackedBlock], shift, sequence, 1);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::int64_t piece = reference::random_piece(key, 3 * kPackedBlock + i);
      const std::int64_t t = shift <= 16 ? piece >> (16 - shift) : piece << (shift - 16);
      const auto expected = i < kPackedBlock ? before[i] : static_cast<T>((before[i] + t) >> shift << shift);
      ASSERT_EQ(values[i], expected) << i << " shift " << shift;
    }
  }
};

TEST_P(Packing, EveryWidthAndShiftEqualsTheBitByBitLayout) {
  for (int width = 1; width <= 64; ++width) {
    for (const int shift : {0, 1, 7, 32 - width, 64 - width}) {
      if (shift >= 0 && width + shift <= 32) {
        expect_naive_layout<std::int32_t>(width, shift);
      }
      if (shift >= 0 && width + shift <= 64) {
        expect_naive_layout<std::int64_t>(width, shift);
      }
    }
  }
}

TEST_P(Packing, RoundingTakesThePiecesOfItsElements) {
  for (const int shift : {1, 5, 16, 20}) {
    expect_naive_rounding<std::int32_t>(shift);
    expect_naive_rounding<std::int64_t>(shift);
  }
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, Packing, testing::ValuesIn(vector::kInstructionSets),
                         test::instruction_set_name);

template <class T>
std::vector<std::byte> packed(const std::vector<T>& values) {
  std::vector<std::byte> bytes(packed_capacity<T>(values.size()));
  bytes.resize(pack(std::span<const T>(values), bytes));
  return bytes;
}

template <class T>
void expect_round_trip(const std::vector<T>& values, std::size_t bytes) {
  const auto wire = packed(values);
  EXPECT_EQ(wire.size(), bytes);
  std::vector<T> back(values.size(), 5);
  unpack(std::span<const std::byte>(wire), std::span(back));
  EXPECT_EQ(back, values);
  std::vector<T> doubled(values.size());
  unpack_add(std::span<const std::byte>(wire), std::span(doubled));
  EXPECT_EQ(doubled, values);
}

TEST(PackedMessage, TakesTheBitsThatEachBlockNeeds) {
  expect_round_trip(std::vector<std::int32_t>(kPackedBlock), 2);
  std::vector<std::int32_t> values(3 * kPackedBlock);
  values[3] = -1;                      // one bit
  values[kPackedBlock + 9] = 127;      // eight bits
  values[kPackedBlock + 10] = -128;    // eight as well
  values[2 * kPackedBlock] = 5 << 20;  // 101 and a sign, the 20 zeros below fall off
  expect_round_trip(values, 3 * 2 + 32 * (1 + 8 + 4));
}

TEST(PackedMessage, ExtremesOfTheType) {
  constexpr auto kLowest = std::numeric_limits<std::int64_t>::min();
  constexpr auto kHighest = std::numeric_limits<std::int64_t>::max();
  std::vector<std::int64_t> values(kPackedBlock, kHighest);
  values[5] = kLowest;
  expect_round_trip(values, packed_capacity<std::int64_t>(kPackedBlock));
  expect_round_trip(std::vector<std::int64_t>(kPackedBlock, kLowest), 2 + 32);
  std::vector<std::int32_t> narrow(kPackedBlock, std::numeric_limits<std::int32_t>::max());
  narrow[9] = std::numeric_limits<std::int32_t>::min();
  expect_round_trip(narrow, packed_capacity<std::int32_t>(kPackedBlock));
}

TEST(PackedMessage, TellsWhereItsFirstBlocksEnd) {
  const std::vector<std::int32_t> values = integers<std::int32_t>(3 * kPackedBlock, 11, 2, 9);
  std::vector<std::byte> packed(packed_capacity<std::int32_t>(values.size()));
  packed.resize(pack(std::span(values), std::span(packed)));
  const std::size_t first = packed_length(packed, kPackedBlock);
  EXPECT_EQ(packed_length(packed, values.size()), packed.size());
  EXPECT_EQ(packed_length(packed, 0), 0U);
  std::vector<std::int32_t> front(kPackedBlock);
  std::vector<std::int32_t> rest(2 * kPackedBlock);
  unpack(std::span<const std::byte>(packed).first(first), std::span(front));
  unpack(std::span<const std::byte>(packed).subspan(first), std::span(rest));
  EXPECT_TRUE(std::equal(front.begin(), front.end(), values.begin()));
  EXPECT_TRUE(std::equal(rest.begin(), rest.end(), values.begin() + kPackedBlock));
  EXPECT_THROW((void)packed_length(packed, 4 * kPackedBlock), Failure);
  EXPECT_THROW((void)packed_length(std::span<const std::byte>(packed).first(first - 1), kPackedBlock),
               Failure);
  EXPECT_THROW((void)packed_length(packed, kPackedBlock + 1), Failure);
}

TEST(PackedMessage, OneThatDoesNotFitIsRefused) {
  const std::vector<std::int32_t> values = integers<std::int32_t>(2 * kPackedBlock, 9, 0, 1);
  std::vector<std::byte> wire = packed(values);
  std::vector<std::int32_t> back(values.size());
  const auto read = [&](std::size_t bytes) {
    unpack(std::span<const std::byte>(wire).first(bytes), std::span(back));
  };
  EXPECT_NO_THROW(read(wire.size()));
  EXPECT_THROW(read(wire.size() - 1), Failure);
  EXPECT_THROW(read(1), Failure);
  wire.push_back(std::byte{0});
  EXPECT_THROW(read(wire.size()), Failure);
  wire[0] = std::byte{33};
  EXPECT_THROW(read(wire.size()), Failure);
  EXPECT_THROW(unpack(std::span<const std::byte>(), std::span(back).first(7)), Failure);
}

/// Rounds and checks against the naive rounding; returns the result.
template <class T>
std::vector<T> rounded(std::vector<T> values, int bits) {
  const RandomKey key = {.seed = 2, .stream = Stream::mean_gradients, .tensor = 1, .step = 9};
  std::vector<std::int64_t> naive(values.begin(), values.end());
  test::naive_round(naive, bits, key);
  round_to_bits(std::span(values), bits, key, 0);
  EXPECT_TRUE(std::equal(values.begin(), values.end(), naive.begin()));
  return values;
}

TEST(RoundToBits, EqualsTheNaiveRoundingAndFitsTheBits) {
  for (const int bits : {8, 16}) {
    for (const int more : {0, 1, 3, 10, 16}) {
      SCOPED_TRACE(concat(bits, " + ", more));
      const auto values = integers<std::int32_t>(4 * kPackedBlock, bits + more, 0, 6);
      const auto result = rounded(values, bits);
      EXPECT_LE(packed(result).size(), 4 * (2 + 32 * static_cast<std::size_t>(bits)));
      rounded(integers<std::int64_t>(kPackedBlock, bits + more + 8, 0, 7), bits);
    }
  }
}

TEST(RoundToBits, WhatFitsStays) {
  const auto values = integers<std::int32_t>(kPackedBlock, 8, 0, 1);
  EXPECT_EQ(rounded(values, 8), values);
}

TEST(RoundToBits, ExtremesOfSumsDoNotOverflow) {
  // 65536 shards of 16 bits: all of 32 bits are used.
  constexpr std::int32_t kShards = 65536;
  std::vector<std::int32_t> values(kPackedBlock, kShards * 32767 - 1);
  values[0] = std::numeric_limits<std::int32_t>::min();
  for (const std::int32_t value : rounded(values, 16)) {
    EXPECT_TRUE(value == kShards * 32767 || value == kShards * 32766 ||
                value == std::numeric_limits<std::int32_t>::min())
        << value;
  }
}

TEST(RoundToBits, IsWithoutBias) {
  std::vector<std::int32_t> values(64 * kPackedBlock, 3);  // of multiples of 8: 3/8 of them go up
  for (std::size_t i = 0; i < values.size(); i += kPackedBlock) {
    values[i] = 8 * 127;
  }
  const auto result = rounded(values, 8);
  const auto up = std::count(result.begin(), result.end(), 8);
  const double expected = 3.0 / 8 * 64 * 255;
  EXPECT_NEAR(static_cast<double>(up), expected, 6 * std::sqrt(expected));
}

}  // namespace
}  // namespace adapt
