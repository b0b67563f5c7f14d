#include "numerics/quantize.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <numbers>
#include <numeric>
#include <vector>

#include "base/error.hpp"
#include "numerics/instruction_sets.hpp"
#include "numerics/reference.hpp"

namespace adapt {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kDenormal = std::numeric_limits<float>::denorm_min();
constexpr float kLargest = std::numeric_limits<float>::max();
const RandomKey kKey = {
    .seed = 0x123456789ABCDEFULL, .stream = Stream::test, .tensor = 3, .step = 5, .shard = 7};

// ---- The reference itself, on numbers worked out by hand. ----

std::int64_t nearest(float value, FixedFormat format) {
  return reference::quantize(value, format, Rounding::nearest, 0);
}

TEST(QuantizeReference, NearestWithTiesToEven) {
  const FixedFormat format = {.word_length = 8, .fractional_length = 2};  // steps of 1/4, -32 .. 31.75
  EXPECT_EQ(nearest(1.0F, format), 4);
  EXPECT_EQ(nearest(0.125F, format), 0);  // 0.5 steps, tie to 0
  EXPECT_EQ(nearest(0.375F, format), 2);  // 1.5 steps, tie to 2
  EXPECT_EQ(nearest(-0.375F, format), -2);
  EXPECT_EQ(nearest(0.13F, format), 1);
  EXPECT_EQ(nearest(31.8F, format), 127);
  EXPECT_EQ(nearest(1e30F, format), 127);
  EXPECT_EQ(nearest(-32.0F, format), -128);
  EXPECT_EQ(nearest(-1e30F, format), -128);
}

TEST(QuantizeReference, WordLengthsAtBothEnds) {
  EXPECT_EQ(nearest(7.0F, {.word_length = 1, .fractional_length = 0}), 0);
  EXPECT_EQ(nearest(-7.0F, {.word_length = 1, .fractional_length = 0}), -1);
  EXPECT_EQ(nearest(1e10F, {.word_length = 32, .fractional_length = 0}), 2147483647);
  EXPECT_EQ(nearest(0x1p31F, {.word_length = 32, .fractional_length = 0}), 2147483647);
  EXPECT_EQ(nearest(-0x1p31F, {.word_length = 32, .fractional_length = 0}), -2147483648LL);
  EXPECT_EQ(nearest(2147483520.0F, {.word_length = 32, .fractional_length = 0}), 2147483520);
}

TEST(QuantizeReference, StochasticComparesThePieceWithTheFraction) {
  const FixedFormat format = {.word_length = 8, .fractional_length = 0};
  const auto rounded = [&](float value, std::uint16_t piece) {
    return reference::quantize(value, format, Rounding::stochastic, piece);
  };
  EXPECT_EQ(rounded(0.5F, 32767), 1);  // v = 1/2 - 1/131072
  EXPECT_EQ(rounded(0.5F, 32768), 0);  // v = 1/2 + 1/131072
  EXPECT_EQ(rounded(0x1p-17F, 0), 1);  // v equals the fraction
  EXPECT_EQ(rounded(0x1.FFFFFEp-18F, 0), 0);
  EXPECT_EQ(rounded(-0.25F, 49151), 0);  // fraction 3/4
  EXPECT_EQ(rounded(-0.25F, 49152), -1);
  EXPECT_EQ(rounded(-kDenormal, 65535), 0);  // a fraction that float32 rounds to one
  EXPECT_EQ(rounded(-3.0F, 0), -3);
  EXPECT_EQ(rounded(-3.0F, 65535), -3);
}

TEST(QuantizeReference, PiecesFollowTheWordsLowHalfFirst) {
  const auto block = random_block(kKey, 2);
  EXPECT_EQ(reference::random_piece(kKey, 16), block[0] & 0xFFFFU);
  EXPECT_EQ(reference::random_piece(kKey, 17), block[0] >> 16U);
  EXPECT_EQ(reference::random_piece(kKey, 18), block[1] & 0xFFFFU);
  EXPECT_EQ(reference::random_piece(kKey, 23), block[3] >> 16U);
}

// ---- Every kernel against the reference. ----

/// Values that lie everywhere around the grid of `format`: ties, the border, far outside, tiny.
std::vector<float> values_around(FixedFormat format, std::size_t count, std::uint32_t salt) {
  RandomSequence random({.seed = 11, .stream = Stream::test, .tensor = salt});
  std::vector<float> values(count);
  const double step = std::ldexp(1.0, -format.fractional_length);
  const double top = std::ldexp(1.0, format.word_length - 1);
  for (float& value : values) {
    const double inside = (2.0 * random.uniform() - 1.0) * top;
    const std::array<double, 9> candidates = {
        inside,
        std::floor(inside) + 0.5,
        std::floor(inside) + random.below(65536) / 65536.0 + 0x1p-17,  // v itself
        (random.uniform() - 0.5) * 4.0,
        -static_cast<double>(random.below(65536)) / 65536.0 - 0x1p-17,
        top - random.below(4) * 0.5,
        -top + (random.below(5) - 2.0) * 0.5,
        inside * std::exp2(40.0 * random.uniform() - 20.0),
        inside * std::exp2(-24.0 * random.uniform())};
    const double wanted = candidates[random.below(candidates.size())] * step;
    value = static_cast<float>(std::clamp(wanted, -double{kLargest}, double{kLargest}));
    // One place beyond, now and then: the neighbours of ties and borders decide differently.
    if (random.below(3) == 0 && std::abs(value) < kLargest) {
      value = std::nextafter(value, random.below(2) == 0 ? kInfinity : -kInfinity);
      if (std::isinf(value)) {
        value = kLargest;
      }
    }
  }
  return values;
}

std::vector<float> special_values() {
  return {0.0F,        -0.0F,        kDenormal,    -kDenormal, 0x1p-126F, -0x1p-126F,    kLargest,
          -kLargest,   0x1p31F,      -0x1p31F,     0x1p24F,    -0x1p24F,  0.5F,          -0.5F,
          1.5F,        -1.5F,        2.5F,         -2.5F,      0x1p23F,   -0x1p23F,      8388607.5F,
          -8388607.5F, 0.49999997F,  -0.49999997F, -0x1p-30F,  0x1p-30F,  2147483520.0F, -2147483520.0F,
          16777215.0F, -16777215.0F, 127.49999F,   -128.5F};
}

class Quantize : public test::EveryInstructionSet {
 protected:
  /// Compares all four passes with the reference on `src`.
  void expect_as_reference(const std::vector<float>& src, FixedFormat format, Rounding rounding,
                           const RandomKey& key, std::uint32_t first_block = 0) const {
    const auto [integers, wanted] = reference::quantize(src, format, rounding, key, first_block);
    const vector::Grid grid = vector::grid_of(format);
    const vector::Sequence sequence = vector::sequence_of(key, first_block);
    const vector::Sequence* random = rounding == Rounding::stochastic ? &sequence : nullptr;
    const std::size_t count = src.size();
    std::vector<float> on_grid = src;  // in place
    std::vector<float> apart(count);
    std::vector<std::int32_t> stored(count);
    std::vector<std::int32_t> sum32(count, format.word_length < 32 ? 1000 : 0);
    std::vector<std::int64_t> sum64(count, 0x123456789ALL);
    const std::array<vector::Tally, 5> tallies = {
        kernels().quantize(on_grid.data(), on_grid.data(), count, grid, random),
        kernels().quantize(src.data(), apart.data(), count, grid, random),
        kernels().quantize_to_integers(src.data(), stored.data(), count, grid, random),
        kernels().quantize_add32(src.data(), sum32.data(), count, grid, random),
        kernels().quantize_add64(src.data(), sum64.data(), count, grid, random)};
    for (const vector::Tally& tally : tallies) {
      ASSERT_EQ(tally.nonzero, wanted.nonzero) << format;
      ASSERT_EQ(tally.finite, wanted.finite) << format;
      ASSERT_EQ(tally.largest, wanted.largest) << format;
    }
    for (std::size_t i = 0; i < count; ++i) {
      const auto q = integers[i];
      const float value = static_cast<float>(std::ldexp(static_cast<float>(q), -format.fractional_length));
      ASSERT_EQ(stored[i], q) << format << " element " << i << " of " << count << ": " << src[i];
      ASSERT_EQ(apart[i], value) << format << " element " << i << ": " << src[i];
      ASSERT_EQ(on_grid[i], value) << format << " element " << i << ": " << src[i];
      ASSERT_EQ(sum32[i], q + (format.word_length < 32 ? 1000 : 0)) << format << " element " << i;
      ASSERT_EQ(sum64[i], q + 0x123456789ALL) << format << " element " << i;
    }
  }
};

TEST_P(Quantize, EveryWordLengthAgreesWithTheReference) {
  for (int word_length = 1; word_length <= kMaxWordLength; ++word_length) {
    for (const int fractional_length : {kMinFractionalLength, -64, -3, 0, 1, 4, 12, 31, 64, 100, 126}) {
      const FixedFormat format = {.word_length = word_length, .fractional_length = fractional_length};
      const auto src =
          values_around(format, 321, static_cast<std::uint32_t>(word_length * 256 + fractional_length + 100));
      expect_as_reference(src, format, Rounding::nearest, kKey);
      expect_as_reference(src, format, Rounding::stochastic, kKey);
    }
  }
}

TEST_P(Quantize, SpecialValues) {
  for (const int word_length : {1, 2, 8, 16, 24, 25, 26, 31, 32}) {
    for (const int fractional_length : {kMinFractionalLength, -30, -1, 0, 1, 7, 30, kMaxFractionalLength}) {
      const FixedFormat format = {.word_length = word_length, .fractional_length = fractional_length};
      for (std::uint32_t step = 0; step < 5; ++step) {
        RandomKey key = kKey;
        key.step = step;
        expect_as_reference(special_values(), format, Rounding::stochastic, key);
      }
      expect_as_reference(special_values(), format, Rounding::nearest, kKey);
    }
  }
}

TEST_P(Quantize, EveryLength) {
  const FixedFormat format = {.word_length = 6, .fractional_length = 3};
  for (const std::size_t base : {0, 1024, 2048}) {  // around the ends of the kernels' chunks too
    for (std::size_t more = 0; more <= 140; ++more) {
      const std::size_t count = base + more;
      const auto src = values_around(format, count, static_cast<std::uint32_t>(count));
      expect_as_reference(src, format, Rounding::nearest, kKey);
      expect_as_reference(src, format, Rounding::stochastic, kKey);
    }
  }
}

TEST_P(Quantize, FractionsAtTheThresholdOfTheirOwnPiece) {
  const FixedFormat format = {.word_length = 8, .fractional_length = 4};
  for (const int whole : {-100, -2, -1, 0, 1, 100}) {
    for (const float towards : {-kInfinity, 0.0F, kInfinity}) {  // 0 stands for the threshold itself
      std::vector<float> src(1200);
      for (std::size_t i = 0; i < src.size(); ++i) {
        const double v = (reference::random_piece(kKey, i) + 0.5) / 65536.0;
        const auto value = static_cast<float>((whole + v) / 16.0);  // exact
        src[i] = towards == 0.0F ? value : std::nextafter(value, towards);
      }
      expect_as_reference(src, format, Rounding::stochastic, kKey);
    }
  }
}

TEST_P(Quantize, FirstBlockMovesTheStart) {
  const FixedFormat format = {.word_length = 8, .fractional_length = 4};
  const auto src = values_around(format, 1500, 1);
  for (const std::uint32_t first_block : {1U, 17U, 0xFFFFFFFFU - 200U}) {
    expect_as_reference(src, format, Rounding::stochastic, kKey, first_block);
  }
}

TEST_P(Quantize, OneValueThatIsNotFiniteIsNoticedAnywhere) {
  const vector::Grid grid = vector::grid_of({.word_length = 32, .fractional_length = 8});
  const vector::Sequence sequence = vector::sequence_of(kKey, 0);
  for (const std::size_t count : {1U, 7U, 64U, 1023U, 1025U, 1100U}) {
    for (std::size_t place = 0; place < count; place += count < 100 ? 1 : 37) {
      for (const float bad : {kNaN, -kNaN, kInfinity, -kInfinity}) {
        std::vector<float> src(count, 1.0F);
        std::vector<float> dst(count);
        src[place] = bad;
        EXPECT_FALSE(kernels().quantize(src.data(), dst.data(), count, grid, nullptr).finite);
        EXPECT_FALSE(kernels().quantize(src.data(), dst.data(), count, grid, &sequence).finite);
      }
    }
  }
}

TEST_P(Quantize, AddExactAgreesWithTheReference) {
  RandomSequence random({.seed = 4});
  for (const int fractional_length : {-40, 0, 24, 40, 160}) {
    for (const std::size_t count : {0U, 1U, 7U, 8U, 15U, 257U, 5000U}) {
      std::vector<float> src(count);
      for (float& value : src) {
        const int exponent = static_cast<int>(random.below(66)) - 3;  // up to the limit, 2^62
        value = std::ldexp(static_cast<float>(2.0 * random.uniform() - 1.0), exponent - fractional_length);
        if (random.below(4) == 0) {  // ties
          const float odd = 2.0F * static_cast<float>(random.below(1U << 23U)) + 1.0F;
          value = std::ldexp(random.below(2) == 0 ? odd : -odd, -1 - fractional_length);
        }
      }
      const auto [integers, wanted] = reference::exact_integers(src, fractional_length, 1);
      ASSERT_TRUE(wanted.finite);
      std::vector<std::int64_t> sum(count, -77);
      const vector::Tally tally =
          kernels().add_exact(src.data(), sum.data(), count, std::ldexp(1.0, fractional_length), 0x1p62);
      EXPECT_EQ(tally.nonzero, wanted.nonzero);
      EXPECT_TRUE(tally.finite);
      for (std::size_t i = 0; i < count; ++i) {
        ASSERT_EQ(sum[i], integers[i] - 77) << src[i];
      }
    }
  }
}

TEST_P(Quantize, AddExactNoticesTheLimit) {
  std::int64_t sum = 0;
  const auto finite = [&](float value) { return kernels().add_exact(&value, &sum, 1, 1.0, 0x1p60).finite; };
  EXPECT_TRUE(finite(0x1.FFFFFEp59F));
  EXPECT_EQ(sum, std::int64_t{0xFFFFFF} << 36U);
  EXPECT_TRUE(finite(-0x1.FFFFFEp59F));
  EXPECT_EQ(sum, 0);
  EXPECT_FALSE(finite(0x1p60F));
  EXPECT_FALSE(finite(-0x1p60F));
  EXPECT_FALSE(finite(kInfinity));
  EXPECT_FALSE(finite(kNaN));
}

TEST_P(Quantize, DequantizeTakesTheProductInDouble) {
  for (const std::size_t count : {0U, 1U, 9U, 16U, 77U}) {
    std::vector<std::int32_t> narrow(count);
    std::vector<std::int64_t> wide(count);
    RandomSequence random({.seed = 5});
    for (std::size_t i = 0; i < count; ++i) {
      narrow[i] = static_cast<std::int32_t>(random.bits());
      wide[i] = std::int64_t{narrow[i]} * static_cast<std::int64_t>(random.bits());
    }
    std::vector<float> from_narrow(count);
    std::vector<float> from_wide(count);
    const double scale = 1.0 / 3.0;
    kernels().dequantize32(narrow.data(), from_narrow.data(), count, scale);
    kernels().dequantize64(wide.data(), from_wide.data(), count, scale);
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_EQ(from_narrow[i], static_cast<float>(static_cast<double>(narrow[i]) * scale));
      EXPECT_EQ(from_wide[i], static_cast<float>(static_cast<double>(wide[i]) * scale));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, Quantize, testing::ValuesIn(vector::kInstructionSets),
                         test::instruction_set_name);

// ---- The public functions: what they add is choice and checking. ----

TEST(QuantizeCalls, ReachTheirKernels) {
  const FixedFormat format = {.word_length = 4, .fractional_length = 1};  // -4 .. 3.5 in halves
  const std::vector<float> src = {0.6F, -0.2F, 9.0F, -9.0F, 0.25F};
  std::vector<float> dst(5);
  const QuantizeResult result = quantize(src, dst, format, Rounding::nearest, kKey);
  EXPECT_EQ(dst, (std::vector<float>{0.5F, 0.0F, 3.5F, -4.0F, 0.0F}));
  EXPECT_EQ(result.nonzero, 3);
  EXPECT_TRUE(result.finite);
  EXPECT_EQ(result.largest, 9.0F);
  std::vector<std::int32_t> integers(5);
  quantize_to_integers(src, integers, format, Rounding::nearest, kKey);
  EXPECT_EQ(integers, (std::vector<std::int32_t>{1, 0, 7, -8, 0}));
  std::vector<std::int64_t> sum(5, 10);
  quantize_add(src, integers, format, Rounding::nearest, kKey);
  quantize_add(src, sum, format, Rounding::nearest, kKey);
  EXPECT_EQ(integers, (std::vector<std::int32_t>{2, 0, 14, -16, 0}));
  EXPECT_EQ(sum, (std::vector<std::int64_t>{11, 10, 17, 2, 10}));
  dequantize(integers, dst, 0.25);
  EXPECT_EQ(dst, (std::vector<float>{0.5F, 0.0F, 3.5F, -4.0F, 0.0F}));
  EXPECT_TRUE(add_exact(src, sum, 1, 4).finite);
  EXPECT_EQ(sum, (std::vector<std::int64_t>{12, 10, 35, -16, 10}));
  dequantize(sum, dst, 1.0);
  EXPECT_EQ(dst[2], 35.0F);
}

TEST(QuantizeCalls, PiecesOfAnArrayGiveWhatTheWholeGives) {
  const FixedFormat format = {.word_length = 8, .fractional_length = 4};
  const auto src = values_around(format, 1000, 2);
  std::vector<float> whole(1000);
  std::vector<float> parts(1000);
  quantize(src, whole, format, Rounding::stochastic, kKey);
  const std::span<const float> from(src);
  const std::span<float> to(parts);
  quantize(from.first(328), to.first(328), format, Rounding::stochastic, kKey);
  quantize(from.subspan(328), to.subspan(328), format, Rounding::stochastic, kKey, 328 / 8);
  EXPECT_EQ(whole, parts);
}

TEST(QuantizeCalls, AddExactSplitsTheRangeAmongTheTerms) {
  const std::vector<float> src = {0x1p60F};
  std::vector<std::int64_t> sum(1);
  EXPECT_TRUE(add_exact(src, sum, 0, 3).finite);
  EXPECT_FALSE(add_exact(src, sum, 0, 4).finite);
  EXPECT_THROW(add_exact(src, sum, 0, 0), Failure);
  EXPECT_THROW(add_exact(src, sum, 513, 1), Failure);
}

TEST(QuantizeCalls, RefuseFormatsAndLengths) {
  const std::vector<float> src(3);
  std::vector<float> dst(3);
  std::vector<float> shorter(2);
  const auto into = [&](std::span<float> to, int word_length, int fractional_length) {
    quantize(src, to, {.word_length = word_length, .fractional_length = fractional_length}, Rounding::nearest,
             kKey);
  };
  EXPECT_THROW(into(dst, 0, 0), BadInput);
  EXPECT_THROW(into(dst, 33, 0), BadInput);
  EXPECT_THROW(into(dst, 8, kMinFractionalLength - 1), BadInput);
  EXPECT_THROW(into(dst, 8, kMaxFractionalLength + 1), BadInput);
  EXPECT_THROW(into(shorter, 8, 4), Failure);
}

}  // namespace
}  // namespace adapt
