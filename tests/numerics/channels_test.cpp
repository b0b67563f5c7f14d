// Passes over activations whose channels come last, on every instruction set, against loops element by
// element.

#include "numerics/channels.hpp"

#include <gtest/gtest.h>

#include <vector>

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
    kernels().scale_channels(x.data(), found.data(), count, a.data(), b.data(), kPeriod);
    EXPECT_EQ(found, expected);
    for (std::size_t i = 0; i < count; ++i) {
      const float first = x[i] * a[i % kPeriod];
      const float second = y[i] * b[i % kPeriod];
      expected[i] = first + second + c[i % kPeriod];
    }
    kernels().combine_channels(x.data(), y.data(), found.data(), count, a.data(), b.data(), c.data(),
                               kPeriod);
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
    kernels().sum_channels(x.data(), count, sums.data(), kPeriod);
    kernels().sum_products(x.data(), y.data(), count, products.data(), kPeriod);
    EXPECT_EQ(sums, expected_sums);
    EXPECT_EQ(products, expected_products);
  });
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
    kernels().add(x.data(), found.data(), count);
    EXPECT_EQ(found, sum);
    found = x;
    kernels().clear_negative(found.data(), count);
    EXPECT_EQ(found, rectified);
    std::vector<std::uint8_t> mask(mask_bytes(count), 0xFF);
    kernels().positive_mask(x.data(), count, mask.data());
    for (std::size_t i = 0; i < 8 * mask.size(); ++i) {
      EXPECT_EQ(mask[i / 8] >> (i % 8) & 1, i < count && x[i] > 0 ? 1 : 0) << i;
    }
    found = y;
    kernels().apply_mask(mask.data(), found.data(), count);
    EXPECT_EQ(found, kept);
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

TEST_P(Channels, SumsAreGatheredFromAnyPlaces) {
  RandomSequence random({.seed = 11});
  std::vector<std::int32_t> sums(300);
  for (std::int32_t& sum : sums) {
    sum = static_cast<std::int32_t>(random.bits());
  }
  for (std::size_t count = 0; count < 70; ++count) {
    std::vector<std::int32_t> places(count);
    std::vector<float> expected;
    for (std::int32_t& place : places) {
      place = static_cast<std::int32_t>(random.below(300));
      const std::int64_t difference = std::int64_t{sums[static_cast<std::size_t>(place)]} + 2'000'000'000;
      expected.push_back(static_cast<float>(static_cast<std::int32_t>(difference)) * 0x1p-9F);  // modulo 2^32
    }
    std::vector<float> found(count);
    kernels().gather_sums(sums.data(), places.data(), found.data(), count, -2'000'000'000, 0x1p-9F);
    EXPECT_EQ(found, expected) << count;
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, Channels, testing::ValuesIn(vector::kInstructionSets),
                         test::instruction_set_name);

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
