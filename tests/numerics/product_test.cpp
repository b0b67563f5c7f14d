// Products of bytes and words and the layouts that they read, on every instruction set, against loops.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
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

/// Of which many are extreme.
template <class Integer>
std::vector<Integer> random_integers(std::size_t count, std::uint64_t seed) {
  using Limits = std::numeric_limits<Integer>;
  RandomSequence random({.seed = seed});
  std::vector<Integer> integers(count);
  for (Integer& integer : integers) {
    const std::uint32_t kind = random.below(4);
    integer = kind == 0 ? Limits::min() : kind == 1 ? Limits::max() : static_cast<Integer>(random.bits());
  }
  return integers;
}

/// Neighbours along the depth.
template <class Right>
constexpr std::size_t kGroup = 4 / sizeof(Right);

template <class Right>
std::int64_t at(const Right* panel, std::size_t k, std::size_t column) {
  constexpr std::size_t kSide = kGroup<Right>;
  return panel[(k / kSide * kProductTile + column) * kSide + k % kSide];
}

/// Sums are compared modulo 2^32.
template <class Left, class Right>
void expect_products(const std::vector<const Left*>& blocks, const vector::RowPlaces& rows,
                     const Right* panel, std::size_t depth, const std::int32_t* initial,
                     const std::int32_t* found, const vector::SumPlaces& places) {
  for (std::size_t row = 0; row < blocks.size() * kProductTile; ++row) {
    const std::size_t block = row / kProductTile;
    const std::size_t i = row % kProductTile;
    for (std::size_t j = 0; j < kProductTile; ++j) {
      std::int64_t sum = initial[j];
      for (std::size_t k = 0; k < depth; ++k) {
        const std::size_t run = depth / rows.runs;
        sum += blocks[block][i * rows.row + k / run * rows.pitch + k % run] * at(panel, k, j);
      }
      ASSERT_EQ(found[block * places.block + i * places.row + j], static_cast<std::int32_t>(sum))
          << blocks.size() << " " << depth << " " << row << " " << j;
    }
  }
}

/// Where sums may stand: tile by tile, or those of all panels side by side, with something between rows.
std::vector<vector::SumPlaces> places_of(std::size_t blocks, std::size_t panels) {
  constexpr std::size_t kTile = kProductTile * kProductTile;
  const std::size_t row = panels * kProductTile + 3;
  return {{.row = kProductTile, .block = kTile, .panel = blocks * kTile},
          {.row = row, .block = kProductTile * row, .panel = kProductTile}};
}

template <class Left, class Right>
void expect_products_equal_loops(const vector::IntegerProducts<Left, Right>& products,
                                 std::size_t block_count, std::size_t panels, std::size_t depth,
                                 std::size_t runs) {
  constexpr std::size_t kStride = 3 * kProductDepth;
  const vector::RowPlaces rows = {
      .row = runs == 1 ? kStride : 24U, .runs = runs, .pitch = runs == 1 ? 0U : 451U};
  const auto left = random_integers<Left>(block_count * kProductTile * kStride + 1000, block_count);
  const auto right = random_integers<Right>(panels * depth * kProductTile, depth);
  std::vector<const Left*> blocks;
  for (std::size_t block = 0; block < block_count; ++block) {
    blocks.push_back(left.data() + block * kProductTile * kStride + block);  // any alignment
  }
  std::vector<std::int32_t> initial(panels * kProductTile);
  std::iota(initial.begin(), initial.end(), -20);
  const std::vector<std::int32_t> sevens(kProductTile, 7);
  for (const vector::SumPlaces& places : places_of(block_count, panels)) {
    for (const bool begins : {false, true}) {
      std::vector<std::int32_t> found(panels * block_count * kProductTile * (kProductTile + 3), 7);
      products.multiply(blocks.data(), block_count, rows, right.data(), panels, depth,
                        begins ? initial.data() : nullptr, found.data(), places);
      for (std::size_t panel = 0; panel < panels; ++panel) {
        expect_products(blocks, rows, right.data() + panel * depth * kProductTile, depth,
                        begins ? initial.data() + panel * kProductTile : sevens.data(),
                        found.data() + panel * places.panel, places);
      }
    }
  }
}

template <class Left, class Right>
void expect_products_equal_loops(const vector::IntegerProducts<Left, Right>& products) {
  for (const std::size_t blocks : {1, 2, 3, 5, 6, 13}) {
    for (const std::size_t panels : {1, 2, 3}) {
      for (const std::size_t depth : {products.depth_step, kProductDepth, 2 * kProductDepth}) {
        expect_products_equal_loops(products, blocks, panels, depth, 1);
      }
      for (const std::size_t runs : {2, 3}) {
        expect_products_equal_loops(products, blocks, panels, runs * kProductDepth, runs);
        expect_products_equal_loops(products, blocks, panels, runs * products.depth_step, runs);
      }
    }
  }
}

template <class Left, class Right>
void expect_column_sums_equal_loops(const vector::IntegerProducts<Left, Right>& products) {
  for (const std::size_t depth : {kProductDepth, 5 * kProductDepth}) {
    const auto panel = random_integers<Right>(depth * kProductTile, depth);
    std::vector<std::int32_t> sums(kProductTile, -1);
    products.sum_columns(panel.data(), depth, sums.data());
    for (std::size_t j = 0; j < kProductTile; ++j) {
      std::int64_t column = 0;
      for (std::size_t k = 0; k < depth; ++k) {
        column += at(panel.data(), k, j);
      }
      ASSERT_EQ(sums[j], column);
    }
  }
}

class Product : public testing::TestWithParam<std::string_view> {
 protected:
  void SetUp() override {
    level_ = vector::find_level(GetParam());
    if (!level_) {
      GTEST_SKIP() << "this processor cannot run " << GetParam();
    }
  }
  std::optional<vector::Level> level_;
};

TEST_P(Product, EqualsLoops) {
  expect_products_equal_loops(*level_->words);
  if (level_->bytes != nullptr) {
    expect_products_equal_loops(*level_->bytes);
  }
}

TEST_P(Product, SumsOfColumnsEqualLoops) {
  expect_column_sums_equal_loops(*level_->words);
  if (level_->bytes != nullptr) {
    expect_column_sums_equal_loops(*level_->bytes);
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, Product, testing::ValuesIn(vector::kLevels), test::instruction_set_name);

class Layout : public test::EveryInstructionSet {};

TEST_P(Layout, TransposesAndMakesUnsigned) {
  for (const std::size_t rows : {1, 16, 63, 64, 65, 200}) {
    for (const std::size_t columns : {16, 48}) {
      constexpr std::size_t kSlack = 64;
      const auto bytes = random_integers<std::int8_t>((rows + kSlack) * columns, rows);
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
      const auto bytes = random_integers<std::int8_t>(rows * columns, rows);
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

TEST_P(Layout, TransposesAndPacksWords) {
  for (const std::size_t rows : {2, 8, 16, 66}) {
    for (const std::size_t columns : {16, 48}) {
      constexpr std::size_t kSlack = 8;
      const auto words = random_integers<std::int16_t>((rows + kSlack) * columns, rows);
      const std::size_t stride = rows + 2 * kSlack;
      std::vector<std::int16_t> transposed(columns * stride);
      kernels().transpose_words(words.data(), rows, columns, transposed.data(), stride);
      const std::size_t panel_stride = rows * kProductTile + 32;
      std::vector<std::int16_t> panels(columns / kProductTile * panel_stride);
      kernels().pack_words(words.data(), rows, columns, panels.data(), panel_stride);
      for (std::size_t row = 0; row < rows; ++row) {
        for (std::size_t column = 0; column < columns; ++column) {
          ASSERT_EQ(transposed[column * stride + row], words[row * columns + column]);
          ASSERT_EQ(at(panels.data() + column / kProductTile * panel_stride, row, column % kProductTile),
                    words[row * columns + column]);
        }
      }
    }
  }
}

TEST_P(Layout, CopiesWindows) {
  for (const std::size_t length : {1, 9, 48, 64, 65, 200}) {
    const vector::WindowRuns runs = {.step = 7, .count = 3, .length = length, .pitch = 301};
    constexpr std::size_t kCount = 5;
    constexpr std::size_t kSlack = 64;
    const std::size_t stride = 3 * length + 2;
    const auto image =
        random_integers<std::uint8_t>(2 * runs.pitch + kCount * runs.step + length + kSlack, length);
    std::vector<std::uint8_t> found(kCount * stride + kSlack);
    kernels().copy_windows(image.data(), runs, kCount, found.data(), stride);
    for (std::size_t window = 0; window < kCount; ++window) {
      for (std::size_t run = 0; run < runs.count; ++run) {
        for (std::size_t i = 0; i < length; ++i) {
          ASSERT_EQ(found[window * stride + run * length + i], image[window * 7 + run * 301 + i]);
        }
      }
    }
  }
}

TEST_P(Layout, CopiesRunsAndNothingBehindThem) {
  for (const std::size_t length : {1, 6, 8, 63, 64, 65, 200}) {
    constexpr std::size_t kCount = 5;
    const std::size_t stride = length + 3;
    const std::size_t from_stride = length - length / 2;  // they may overlap where they come from
    const auto from = random_integers<std::uint8_t>((kCount - 1) * from_stride + length, length);
    std::vector<std::uint8_t> expected((kCount - 1) * stride + length, 7);
    std::vector<std::uint8_t> found = expected;
    for (std::size_t run = 0; run < kCount; ++run) {
      std::copy_n(from.data() + run * from_stride, length, expected.data() + run * stride);
    }
    kernels().copy_runs(from.data(), from_stride, length, kCount, found.data(), stride);
    ASSERT_EQ(found, expected) << length;
  }
}

TEST_P(Layout, CopiesMaskedRows) {
  constexpr std::size_t kRows = 3;
  for (const std::size_t length : {64, 192}) {
    const auto bytes = random_integers<std::uint8_t>(length + kRows, length);
    std::vector<std::uint8_t> masks(2 * length);
    RandomSequence random({.seed = 4});
    std::ranges::generate(masks, [&] { return random.below(2) == 0 ? std::uint8_t{0} : std::uint8_t{255}; });
    std::vector<vector::MaskedRow> rows;
    for (std::size_t row = 0; row < kRows; ++row) {
      rows.push_back({bytes.data() + row, masks.data(), masks.data() + length});
    }
    const std::size_t stride = length + 5;
    for (const std::uint8_t zero : {128, 0}) {
      std::vector<std::uint8_t> found(kRows * stride);
      kernels().copy_masked(rows.data(), kRows, length, zero, found.data(), stride);
      for (std::size_t row = 0; row < kRows; ++row) {
        for (std::size_t i = 0; i < length; ++i) {
          const bool kept = masks[i] == 255 && masks[length + i] == 255;
          ASSERT_EQ(found[row * stride + i], kept ? bytes[row + i] : zero);
        }
      }
    }
  }
}

TEST_P(Layout, TransposesSums) {
  std::vector<std::int32_t> sums(kProductTile * kProductTile);
  std::iota(sums.begin(), sums.end(), 2'000'000'000);
  std::vector<std::int32_t> corrections(kProductTile);
  std::iota(corrections.begin(), corrections.end(), -5);
  constexpr std::size_t kStride = 19;
  std::vector<float> found(kProductTile * kStride);
  kernels().transpose_sums(sums.data(), corrections.data(), 0x1p-9F, found.data(), kStride);
  for (std::size_t i = 0; i < kProductTile; ++i) {
    for (std::size_t j = 0; j < kProductTile; ++j) {
      const auto sum = static_cast<float>(sums[i * kProductTile + j] - corrections[j]);
      ASSERT_EQ(found[j * kStride + i], sum * 0x1p-9F);
    }
  }
}

/// Everything that a format of 8 bits may meet: each integer with the fractions next to its ties and
/// thresholds.
TEST_P(Layout, QuantizesFractionsToBytesAsTheReferenceDoes) {
  std::vector<float> values;
  for (int q = -130; q <= 130; ++q) {
    for (const float fraction : {0.0F, 0.25F, 0.5F, 0x1.8p-17F, 0x1p-17F, 0x1p-40F, 0.75F}) {
      const float value = static_cast<float>(q) + fraction;
      values.insert(values.end(), {value, std::nextafter(value, -1e9F), std::nextafter(value, 1e9F)});
    }
  }
  values.insert(values.end(), {1e30F, -1e30F, -0.0F, 0x1p-149F, -0x1p-149F});
  const FixedFormat format = {8, 0};
  for (std::uint32_t seed = 0; seed < 200; ++seed) {  // of which 0 rounds to nearest
    const RandomKey key = {.seed = seed};
    const Rounding rounding = seed == 0 ? Rounding::nearest : Rounding::stochastic;
    const auto expected = reference::quantize(values, format, rounding, key, 0);
    const vector::Sequence sequence = vector::sequence_of(key, 0);
    std::vector<std::int8_t> found(values.size());
    kernels().quantize_to_bytes({.floats = values.data()}, found.data(), values.size(),
                                vector::grid_of(format), seed == 0 ? nullptr : &sequence);
    ASSERT_EQ(std::vector<std::int64_t>(found.begin(), found.end()), expected.integers) << seed;
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
      const vector::Tally tally = kernels().quantize_to_bytes(
          {.floats = values.data()}, found.data(), values.size(), vector::grid_of(format),
          rounding == Rounding::nearest ? nullptr : &sequence);
      EXPECT_EQ(std::vector<std::int64_t>(found.begin(), found.end()), expected.integers);
      EXPECT_EQ(tally.nonzero, expected.result.nonzero);
      EXPECT_EQ(tally.largest, expected.result.largest);
    }
  }
}

TEST_P(Layout, QuantizesToWordsAsTheReferenceDoes) {
  RandomSequence random({.seed = 4});
  std::vector<float> values(2100);
  for (float& value : values) {
    value = static_cast<float>(random.normal() * 3);
  }
  const RandomKey key = {.seed = 9, .step = 2};
  for (const FixedFormat format :
       {FixedFormat{16, 13}, FixedFormat{16, 15}, FixedFormat{9, 4}, FixedFormat{3, 0}}) {
    for (const Rounding rounding : {Rounding::nearest, Rounding::stochastic}) {
      const auto expected = reference::quantize(values, format, rounding, key, 5);
      const vector::Sequence sequence = vector::sequence_of(key, 5);
      std::vector<std::int16_t> found(values.size());
      const vector::Tally tally =
          kernels().quantize_to_words(values.data(), found.data(), values.size(), vector::grid_of(format),
                                      rounding == Rounding::nearest ? nullptr : &sequence);
      EXPECT_EQ(std::vector<std::int64_t>(found.begin(), found.end()), expected.integers);
      EXPECT_EQ(tally.largest, expected.result.largest);
    }
  }
}

TEST_P(Layout, SumsOfPairsEqualLoops) {
  for (const std::size_t channels : {1, 7, 8, 31, 32, 45, 144}) {
    for (const std::size_t count : {0, 1, 9, 200}) {
      const auto right = random_integers<std::int8_t>(count * channels, count);
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
      expect(random_integers<std::int8_t>(count * channels, channels), kernels().sum_signed_pairs);
      expect(random_integers<std::uint8_t>(count * channels, channels), kernels().sum_unsigned_pairs);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, Layout, testing::ValuesIn(vector::kInstructionSets),
                         test::instruction_set_name);

TEST(QuantizeToWords, RefusesWiderFormats) {
  std::vector<float> values(4);
  std::vector<std::int16_t> words(4);
  EXPECT_THROW(quantize_to_words(values, words, {17, 0}, Rounding::nearest, {}), BadInput);
}

TEST(QuantizeToBytes, RefusesWiderFormats) {
  std::vector<float> values(4);
  std::vector<std::int8_t> bytes(4);
  EXPECT_THROW(quantize_to_bytes(values, bytes, {9, 0}, Rounding::nearest, {}), BadInput);
}

}  // namespace
}  // namespace adapt
