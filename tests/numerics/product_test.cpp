// 8-bit products and the layouts that they read, on every instruction set, against loops.

#include <gtest/gtest.h>

#include <vector>

#include "base/error.hpp"
#include "numerics/instruction_sets.hpp"
#include "numerics/quantize.hpp"
#include "numerics/random.hpp"
#include "numerics/reference.hpp"

namespace adapt {
namespace {

using vector::kProductDepth;
using vector::kProductTile;

template <class Byte>
std::vector<Byte> random_bytes(std::size_t count, std::uint64_t seed) {
  RandomSequence random({.seed = seed});
  std::vector<Byte> bytes(count);
  for (Byte& byte : bytes) {
    const std::uint32_t kind = random.below(4);  // many extremes
    byte = static_cast<Byte>(kind == 0 ? 0x80U : kind == 1 ? 0x7FU : random.bits());
  }
  return bytes;
}

std::int64_t at(const std::int8_t* panel, std::size_t k, std::size_t column) {
  return panel[(k / 4 * kProductTile + column) * 4 + k % 4];
}

void expect_products(const std::vector<const std::uint8_t*>& blocks, std::size_t row_stride,
                     const std::int8_t* panel, std::size_t depth, const std::int32_t* found) {
  for (std::size_t row = 0; row < blocks.size() * kProductTile; ++row) {
    for (std::size_t j = 0; j < kProductTile; ++j) {
      std::int64_t sum = 0;
      for (std::size_t k = 0; k < depth; ++k) {
        sum += blocks[row / kProductTile][row % kProductTile * row_stride + k] * at(panel, k, j);
      }
      ASSERT_EQ(found[row * kProductTile + j], sum)
          << blocks.size() << " " << depth << " " << row << " " << j;
    }
  }
}

class Product : public testing::TestWithParam<std::string_view> {
 protected:
  void SetUp() override {
    products_ = vector::find_products(GetParam());
    if (products_ == nullptr) {
      GTEST_SKIP() << "this processor cannot run " << GetParam();
    }
  }
  const vector::ProductKernels* products_ = nullptr;
};

TEST_P(Product, EqualsLoops) {
  constexpr std::size_t kStride = 3 * kProductDepth;
  for (const std::size_t blocks : {1, 2, 3, 5, 6, 13}) {
    for (const std::size_t panels : {1, 2, 3}) {
      for (const std::size_t depth : {kProductDepth, 2 * kProductDepth}) {
        const auto left = random_bytes<std::uint8_t>(blocks * kProductTile * kStride, blocks);
        const auto right = random_bytes<std::int8_t>(panels * depth * kProductTile, depth);
        std::vector<const std::uint8_t*> rows;
        for (std::size_t block = 0; block < blocks; ++block) {
          rows.push_back(left.data() + block * kProductTile * kStride + block);  // any alignment
        }
        std::vector<std::int32_t> found(panels * blocks * kProductTile * kProductTile, -1);
        products_->multiply(rows.data(), blocks, kStride, right.data(), panels, depth, found.data());
        for (std::size_t panel = 0; panel < panels; ++panel) {
          expect_products(rows, kStride, right.data() + panel * depth * kProductTile, depth,
                          found.data() + panel * blocks * kProductTile * kProductTile);
        }
      }
    }
  }
}

TEST_P(Product, SumsOfColumnsEqualLoops) {
  for (const std::size_t depth : {kProductDepth, 5 * kProductDepth}) {
    const auto panel = random_bytes<std::int8_t>(depth * kProductTile, depth);
    std::vector<std::int32_t> sums(kProductTile, -1);
    products_->sum_columns(panel.data(), depth, sums.data());
    for (std::size_t j = 0; j < kProductTile; ++j) {
      std::int64_t column = 0;
      for (std::size_t k = 0; k < depth; ++k) {
        column += at(panel.data(), k, j);
      }
      ASSERT_EQ(sums[j], column);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Products, Product, testing::ValuesIn(vector::kProductSets),
                         test::instruction_set_name);

class Layout : public test::EveryInstructionSet {};

TEST_P(Layout, TransposesAndMakesUnsigned) {
  for (const std::size_t rows : {1, 16, 63, 64, 65, 200}) {
    for (const std::size_t columns : {16, 48}) {
      constexpr std::size_t kSlack = 64;
      const auto bytes = random_bytes<std::int8_t>((rows + kSlack) * columns, rows);
      const std::size_t stride = rows + 2 * kSlack;
      std::vector<std::uint8_t> found(columns * stride);
      kernels().transpose_bytes(bytes.data(), rows, columns, found.data(), stride);
      for (std::size_t row = 0; row < rows; ++row) {
        for (std::size_t column = 0; column < columns; ++column) {
          ASSERT_EQ(found[column * stride + row], bytes[row * columns + column] + 128);
        }
      }
    }
  }
}

TEST_P(Layout, PacksPanels) {
  for (const std::size_t rows : {4, 64}) {
    for (const std::size_t columns : {16, 48}) {
      const auto bytes = random_bytes<std::int8_t>(rows * columns, rows);
      const std::size_t stride = rows * kProductTile + 32;
      std::vector<std::int8_t> found(columns / kProductTile * stride);
      kernels().pack_bytes(bytes.data(), rows, columns, found.data(), stride);
      for (std::size_t row = 0; row < rows; ++row) {
        for (std::size_t column = 0; column < columns; ++column) {
          const std::size_t at = (row / 4 * kProductTile + column % kProductTile) * 4 + row % 4;
          ASSERT_EQ(found[column / kProductTile * stride + at], bytes[row * columns + column]);
        }
      }
    }
  }
}

TEST_P(Layout, QuantizesToBytesAsTheReferenceDoes) {
  RandomSequence random({.seed = 3});
  std::vector<float> values(2100);
  for (float& value : values) {
    value = static_cast<float>(random.normal() * 3);
  }
  const RandomKey key = {.seed = 9, .step = 2};
  for (const FixedFormat format :
       {FixedFormat{8, 5}, FixedFormat{8, 6}, FixedFormat{3, 0}, FixedFormat{1, 2}}) {
    for (const Rounding rounding : {Rounding::nearest, Rounding::stochastic}) {
      const auto expected = reference::quantize(values, format, rounding, key, 5);
      const vector::Sequence sequence = vector::sequence_of(key, 5);
      std::vector<std::int8_t> found(values.size());
      const vector::Tally tally =
          kernels().quantize_to_bytes(values.data(), found.data(), values.size(), vector::grid_of(format),
                                      rounding == Rounding::nearest ? nullptr : &sequence);
      EXPECT_EQ(std::vector<std::int64_t>(found.begin(), found.end()), expected.integers);
      EXPECT_EQ(tally.nonzero, expected.result.nonzero);
      EXPECT_EQ(tally.largest, expected.result.largest);
    }
  }
}

TEST_P(Layout, SumsOfPairsEqualLoops) {
  for (const std::size_t channels : {1, 7, 8, 31, 32, 45, 144}) {
    for (const std::size_t count : {0, 1, 9, 200}) {
      const auto right = random_bytes<std::int8_t>(count * channels, count);
      const auto expect = [&](const auto& left, auto&& kernel) {
        std::vector<decltype(left.data())> lefts(count);
        std::vector<const std::int8_t*> rights(count);
        std::vector<std::int32_t> expected(channels);
        for (std::size_t i = 0; i < count; ++i) {
          lefts[i] = left.data() + (count - 1 - i) * channels;  // in any order
          rights[i] = right.data() + i * channels;
          for (std::size_t c = 0; c < channels; ++c) {
            expected[c] += lefts[i][c] * rights[i][c];
          }
        }
        std::vector<std::int32_t> found(channels, -1);
        kernel(lefts.data(), rights.data(), count, channels, found.data());
        ASSERT_EQ(found, expected) << channels << " " << count;
      };
      expect(random_bytes<std::int8_t>(count * channels, channels), kernels().sum_signed_pairs);
      expect(random_bytes<std::uint8_t>(count * channels, channels), kernels().sum_unsigned_pairs);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, Layout, testing::ValuesIn(vector::kInstructionSets),
                         test::instruction_set_name);

TEST(QuantizeToBytes, RefusesWiderFormats) {
  std::vector<float> values(4);
  std::vector<std::int8_t> bytes(4);
  EXPECT_THROW(quantize_to_bytes(values, bytes, {9, 0}, Rounding::nearest, {}), BadInput);
}

}  // namespace
}  // namespace adapt
