// Passes over activations whose channels come last, on every instruction set, against loops element by
// element.

#include "numerics/channels.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/error.hpp"
#include "numerics/instruction_sets.hpp"
#include "numerics/random.hpp"

namespace adapt {
namespace {

std::vector<float> random_values(std::size_t count, std::uint64_t seed) {
  RandomSequence random({.seed = seed});
  std::vector<float> values(count);
  for (float& value : values) {
    value = static_cast<float>(random.normal());
  }
  return values;
}

class Channels : public test::EveryInstructionSet {
 protected:
  static constexpr std::size_t kPeriod = 24;

  /// Calls `check(count)` for lengths that fill periods and registers or do not.
  template <class Check>
  static void at_every_length(Check check) {
    for (const std::size_t count : {0, 1, 7, 16, 23, 24, 25, 48, 71, 200, 1000}) {
      SCOPED_TRACE(count);
      check(count);
    }
  }
};

TEST_P(Channels, CoefficientsRepeat) {
  const auto a = random_values(kPeriod, 1);
  const auto b = random_values(kPeriod, 2);
  const auto c = random_values(kPeriod, 3);
  at_every_length([&](std::size_t count) {
    const auto x = random_values(count, 4);
    const auto y = random_values(count, 5);
    std::vector<float> expected(count);
    std::vector<float> found = x;
    for (std::size_t i = 0; i < count; ++i) {
      expected[i] = x[i] + a[i % kPeriod];
    }
    kernels().add_channels(found.data(), count, a.data(), kPeriod);
    EXPECT_EQ(found, expected);
    for (std::size_t i = 0; i < count; ++i) {
      const float product = x[i] * a[i % kPeriod];
      expected[i] = product + b[i % kPeriod];
    }
    kernels().scale_channels({.floats = x.data()}, found.data(), count, a.data(), b.data(), kPeriod);
    EXPECT_EQ(found, expected);
    for (std::size_t i = 0; i < count; ++i) {
      const float first = x[i] * a[i % kPeriod];
      const float second = y[i] * b[i % kPeriod];
      expected[i] = first + second + c[i % kPeriod];
    }
    kernels().combine_channels({.floats = x.data()}, {.floats = y.data()}, found.data(), count, a.data(),
                               b.data(), c.data(), kPeriod);
    EXPECT_EQ(found, expected);
  });
}

TEST_P(Channels, LanesAddUpInOrder) {
  at_every_length([&](std::size_t count) {
    const auto x = random_values(count, 6);
    const auto y = random_values(count, 7);
    auto sums = random_values(kPeriod, 8);
    auto products = sums;
    auto expected_sums = sums;
    auto expected_products = sums;
    for (std::size_t i = 0; i < count; ++i) {
      expected_sums[i % kPeriod] += x[i];
      const float product = x[i] * y[i];
      expected_products[i % kPeriod] += product;
    }
    auto lanes = sums;
    kernels().sum_channels(x.data(), count, lanes.data(), kPeriod);
    kernels().sum_products({.floats = x.data()}, {.floats = y.data()}, count, sums.data(), products.data(),
                           kPeriod);
    EXPECT_EQ(lanes, expected_sums);
    EXPECT_EQ(sums, expected_sums);
    EXPECT_EQ(products, expected_products);
  });
}

TEST_P(Channels, LanesFoldInOrder) {
  for (const std::size_t channels : {1, 3, 8, 16, 24}) {
    const std::size_t period = channels * 8;
    auto lanes = random_values(period, channels);
    std::vector<double> sums(channels, 1e9);  // so that the order shows
    std::vector<double> expected = sums;
    for (std::size_t i = 0; i < period; ++i) {
      expected[i % channels] += static_cast<double>(lanes[i]);
    }
    kernels().fold_lanes(lanes.data(), period, sums.data(), channels);
    EXPECT_EQ(sums, expected);
    EXPECT_EQ(lanes, std::vector<float>(period));
  }
}

TEST_P(Channels, ElementByElement) {
  at_every_length([&](std::size_t count) {
    auto x = random_values(count, 9);
    const auto y = random_values(count, 10);
    if (count > 3) {
      x[3] = 0.0F;
    }
    std::vector<float> sum(count);
    std::vector<float> rectified(count);
    std::vector<float> kept(count);
    for (std::size_t i = 0; i < count; ++i) {
      sum[i] = y[i] + x[i];
      rectified[i] = x[i] > 0 ? x[i] : 0.0F;
      kept[i] = x[i] > 0 ? y[i] : 0.0F;
    }
    auto found = y;
    kernels().add(x.data(), y.data(), found.data(), count);
    EXPECT_EQ(found, sum);
    found = x;
    kernels().rectify(found.data(), count, nullptr);
    EXPECT_EQ(found, rectified);
    std::vector<std::uint8_t> mask(mask_bytes(count), 0xFF);
    found = x;
    kernels().rectify(found.data(), count, mask.data());
    EXPECT_EQ(found, rectified);
    for (std::size_t i = 0; i < 8 * mask.size(); ++i) {
      EXPECT_EQ(mask[i / 8] >> (i % 8) & 1, i < count && x[i] > 0 ? 1 : 0) << i;
    }
    found = y;
    kernels().apply_mask(mask.data(), found.data(), count);
    EXPECT_EQ(found, kept);
  });
}

/// The same numbers in all forms, masked or not, and as float32.
struct InAllForms {
  explicit InAllForms(std::size_t count, std::uint64_t seed)
      : bytes(count), sums(count), mask(mask_bytes(count)) {
    RandomSequence random({.seed = seed});
    std::ranges::generate(mask, [&] { return static_cast<std::uint8_t>(random.below(256)); });
    for (std::size_t i = 0; i < count; ++i) {
      bytes[i] = static_cast<std::int8_t>(static_cast<int>(random.below(256)) - 128);
      sums[i] = static_cast<std::int32_t>(random.bits());
    }
  }

  /// Calls `check(numbers, floats)` for each form.
  template <class Check>
  void each(Check check) const {
    const auto step = 0x1p-9F;
    std::vector<float> of_bytes(bytes.size());
    std::vector<float> of_sums(bytes.size());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      of_bytes[i] = static_cast<float>(bytes[i]) * step;
      of_sums[i] = static_cast<float>(sums[i]) * step;
    }
    for (const bool is_masked : {false, true}) {
      const std::uint8_t* const bits = is_masked ? mask.data() : nullptr;
      check(Numbers{.bytes = bytes.data(), .step = step, .mask = bits}, kept(of_bytes, is_masked));
      check(Numbers{.sums = sums.data(), .step = step, .mask = bits}, kept(of_sums, is_masked));
      check(Numbers{.floats = of_sums.data(), .mask = bits}, kept(of_sums, is_masked));
    }
  }

  [[nodiscard]] std::vector<float> kept(std::vector<float> numbers, bool is_masked) const {
    for (std::size_t i = 0; is_masked && i < numbers.size(); ++i) {
      numbers[i] = (mask[i / 8] >> (i % 8) & 1) != 0 ? numbers[i] : 0.0F;
    }
    return numbers;
  }

  std::vector<std::int8_t> bytes;
  std::vector<std::int32_t> sums;
  std::vector<std::uint8_t> mask;
};

TEST_P(Channels, EveryFormMeansTheSame) {
  const auto a = random_values(kPeriod, 1);
  const auto b = random_values(kPeriod, 2);
  const auto c = random_values(kPeriod, 3);
  at_every_length([&](std::size_t count) {
    const InAllForms left(count, 4);
    const InAllForms right(count, 5);
    std::vector<float> found(count);
    std::vector<float> expected(count);
    left.each([&](const Numbers& x, const std::vector<float>& x_floats) {
      if (x.mask == nullptr) {  // with itself: each number is loaded once
        auto sums = a;
        auto squares = b;
        auto expected_sums = a;
        auto expected_squares = b;
        const std::vector<float> others = x_floats;
        kernels().sum_products(x, x, count, sums.data(), squares.data(), kPeriod);
        kernels().sum_products({.floats = x_floats.data()}, {.floats = others.data()}, count,
                               expected_sums.data(), expected_squares.data(), kPeriod);
        EXPECT_EQ(sums, expected_sums);
        EXPECT_EQ(squares, expected_squares);
      }
      kernels().scale_channels(x, found.data(), count, a.data(), b.data(), kPeriod);
      kernels().scale_channels({.floats = x_floats.data()}, expected.data(), count, a.data(), b.data(),
                               kPeriod);
      EXPECT_EQ(found, expected);
      right.each([&](const Numbers& y, const std::vector<float>& y_floats) {
        if (y.mask != nullptr) {
          return;  // the first operand's counts
        }
        kernels().combine_channels(x, y, found.data(), count, a.data(), b.data(), c.data(), kPeriod);
        kernels().combine_channels({.floats = x_floats.data()}, {.floats = y_floats.data()}, expected.data(),
                                   count, a.data(), b.data(), c.data(), kPeriod);
        EXPECT_EQ(found, expected);
        auto sums = a;
        auto products = b;
        auto expected_sums = a;
        auto expected_products = b;
        kernels().sum_products(x, y, count, sums.data(), products.data(), kPeriod);
        kernels().sum_products({.floats = x_floats.data()}, {.floats = y_floats.data()}, count,
                               expected_sums.data(), expected_products.data(), kPeriod);
        EXPECT_EQ(sums, expected_sums);
        EXPECT_EQ(products, expected_products);
      });
    });
  });
}

TEST_P(Channels, IntegersBecomeNumbers) {
  at_every_length([&](std::size_t count) {
    RandomSequence random({.seed = 12});
    std::vector<std::int8_t> bytes(count);
    std::vector<std::int32_t> sums(count);
    std::vector<float> of_bytes(count);
    std::vector<float> of_sums(count);
    for (std::size_t i = 0; i < count; ++i) {
      bytes[i] = static_cast<std::int8_t>(static_cast<int>(random.below(256)) - 128);
      sums[i] = static_cast<std::int32_t>(random.bits());
      of_bytes[i] = static_cast<float>(bytes[i]) * 0x1p-5F;
      of_sums[i] = static_cast<float>(sums[i]) * 0x1p-20F;
    }
    std::vector<float> found(count);
    kernels().from_bytes(bytes.data(), found.data(), count, 0x1p-5F);
    EXPECT_EQ(found, of_bytes);
    kernels().from_sums(sums.data(), found.data(), count, 0x1p-20F);
    EXPECT_EQ(found, of_sums);
  });
}

INSTANTIATE_TEST_SUITE_P(Isa, Channels, testing::ValuesIn(vector::kInstructionSets),
                         test::instruction_set_name);

TEST(Masks, AreRefusedWhereTheyWouldBeMisread) {
  const std::vector<float> x(40, 1.0F);
  const std::vector<std::uint8_t> mask(5, 0x49);
  const Numbers masked = {.floats = x.data(), .mask = mask.data()};
  const Numbers plain = {.floats = x.data()};
  const std::vector<float> factor(20, 1.0F);  // no multiple of 8
  std::vector<float> found(40);
  EXPECT_THROW(scale_channels(masked, found, factor, factor), Failure);
  EXPECT_NO_THROW(scale_channels(plain, found, factor, factor));
  EXPECT_THROW(combine_channels(plain, masked, found, factor, factor, factor), Failure);
  std::vector<float> sums(20);
  std::vector<float> products(20);
  EXPECT_THROW(sum_products(masked, plain, 40, sums, products), Failure);
}

TEST(ChannelPeriod, HoldsWholeChannelsAndRandomBlocks) {
  for (const std::size_t channels : {1, 3, 6, 16, 64, 100, 384}) {
    const std::size_t period = channel_period(channels);
    EXPECT_EQ(period % (8 * channels), 0U);
    EXPECT_GE(period, 256U);
    EXPECT_LT(period, 256 + 8 * channels);
  }
}

}  // namespace
}  // namespace adapt
