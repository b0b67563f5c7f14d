// Sums of all ranks with messages of our own, against sums made element by element on every rank alone.

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "exchange/integer_encoding.hpp"
#include "exchange/packed_sum.hpp"
#include "exchange/virtual_ranks.hpp"
#include "numerics/naive_rounding.hpp"
#include "support/world.hpp"

namespace adapt {
namespace {

const SumRounding kEightBits = {8, {.seed = 1, .stream = Stream::mean_gradients, .tensor = 3, .step = 4}};

/// What rank `rank` has added: numbers of `bits` bits.
std::vector<std::int64_t> share(int rank, std::size_t size, int bits, std::uint32_t which = 0) {
  RandomSequence random({.seed = 6, .tensor = which, .shard = static_cast<std::uint32_t>(rank)});
  std::vector<std::int64_t> values(size);
  for (std::int64_t& value : values) {
    const std::uint64_t word = std::uint64_t{random.bits()} << 32U | random.bits();
    value = static_cast<std::int64_t>(word) >> (64 - bits);
  }
  return values;
}

std::vector<std::int64_t> naive_sum(std::size_t size, int bits, std::uint32_t which = 0) {
  std::vector<std::int64_t> sum(size);
  for (int rank = 0; rank < test::world().size(); ++rank) {
    const auto values = share(rank, size, bits, which);
    std::transform(sum.begin(), sum.end(), values.begin(), sum.begin(), std::plus<>());
  }
  return sum;
}

template <class T>
void fill(PackedSum<T>& sum, const std::vector<std::int64_t>& values) {
  sum.clear();
  std::transform(values.begin(), values.end(), sum.values().begin(),
                 [](std::int64_t value) { return static_cast<T>(value); });
}

template <class T>
std::vector<std::int64_t> result(const PackedSum<T>& sum) {
  return {sum.values().begin(), sum.values().end()};
}

/// This rank's plan, with two ranks on a node.
template <class T>
SumPlan plan_of(const PackedSum<T>& sum, Algorithm algorithm) {
  const std::vector<int> nodes = test::placed_in_blocks(test::world().size(), 2);
  return entry_of(algorithm).make({test::world().rank(), nodes, sum.blocks()});
}

template <class T>
std::vector<std::int64_t> summed(const std::vector<std::int64_t>& own,
                                 const std::optional<SumRounding>& rounding = std::nullopt) {
  PackedSum<T> sum(own.size(), 0);
  std::vector<std::int64_t> first;
  for (const AlgorithmEntry& entry : kNames<Algorithm>) {
    const SumPlan plan = plan_of(sum, entry.value);
    fill(sum, own);
    sum.launch(test::world(), plan, rounding);
    sum.finish();
    first = first.empty() ? result(sum) : first;
    EXPECT_EQ(result(sum), first) << entry.name;
  }
  return first;
}

TEST(PackedSum, EqualsTheNaiveSum) {
  for (const std::size_t size : {1U, 255U, 256U, 257U, 5000U}) {
    for (const int bits : {1, 9, 28}) {
      SCOPED_TRACE(concat(size, " numbers of ", bits, " bits"));
      EXPECT_EQ(summed<std::int32_t>(share(test::world().rank(), size, bits)), naive_sum(size, bits));
      EXPECT_EQ(summed<std::int64_t>(share(test::world().rank(), size, 2 * bits)), naive_sum(size, 2 * bits));
    }
  }
}

TEST(PackedSum, ExtremesOfTheTypes) {
  const std::int64_t ranks = test::world().size();
  const std::int64_t narrow = std::numeric_limits<std::int32_t>::min() / ranks;
  const std::int64_t wide = std::numeric_limits<std::int64_t>::min() / ranks;
  EXPECT_EQ(summed<std::int32_t>(std::vector<std::int64_t>(700, narrow)),
            std::vector<std::int64_t>(700, narrow * ranks));
  EXPECT_EQ(summed<std::int64_t>(std::vector<std::int64_t>(700, wide)),
            std::vector<std::int64_t>(700, wide * ranks));
  EXPECT_EQ(summed<std::int64_t>(std::vector<std::int64_t>(3, -(wide + 1))),
            std::vector<std::int64_t>(3, -(wide + 1) * ranks));
}

TEST(PackedSum, RoundsTheWholeSumOnceAndAlikeOnAnyNumberOfRanks) {
  for (const std::size_t size : {100U, 4097U}) {
    std::vector<std::int64_t> expected = naive_sum(size, 10);
    test::naive_round(expected, kEightBits.bits, kEightBits.key);
    EXPECT_EQ(summed<std::int32_t>(share(test::world().rank(), size, 10), kEightBits), expected);
    EXPECT_EQ(summed<std::int64_t>(share(test::world().rank(), size, 10), kEightBits), expected);
  }
}

TEST(PackedSum, SeveralGoOnSideBySideStepAfterStep) {
  std::vector<PackedSum<std::int32_t>> sums;
  std::vector<SumPlan> plans;
  for (int i = 0; i < 5; ++i) {
    sums.emplace_back(1000 * static_cast<std::size_t>(i + 1), 2 * i);
    plans.push_back(plan_of(sums.back(), kNames<Algorithm>[static_cast<std::size_t>(i) % 3].value));
  }
  for (std::uint32_t step = 0; step < 3; ++step) {
    for (std::size_t i = 0; i < sums.size(); ++i) {
      fill(sums[i], share(test::world().rank(), sums[i].values().size(), 12, step));
      sums[i].launch(test::world(), plans[i], std::nullopt);
      for (auto& sum : sums) {
        sum.advance();
      }
    }
    for (auto& sum : sums) {
      sum.finish();
      EXPECT_EQ(result(sum), naive_sum(sum.values().size(), 12, step));
    }
  }
}

TEST(PackedSum, AdvanceAloneReachesTheEnd) {
  const std::vector<std::int64_t> expected = naive_sum(3000, 14);
  PackedSum<std::int32_t> sum(3000, 0);
  fill(sum, share(test::world().rank(), 3000, 14));
  sum.advance();  // not launched: nothing happens
  EXPECT_EQ(result(sum), share(test::world().rank(), 3000, 14));
  const SumPlan plan = plan_of(sum, Algorithm::tree);
  sum.launch(test::world(), plan, std::nullopt);
  // Every rank is done some time after the last one has launched.
  for (int round = 0; round < 2000; ++round) {
    sum.advance();
    if (round % 100 == 99) {
      test::world().barrier();
    }
  }
  EXPECT_EQ(result(sum), expected);
}

TEST(PackedSum, SendsTheBitsThatPartialSumsNeed) {
  // Of b bits, k shards on each rank: b + ceil(log2 k) bits there, b + ceil(log2 K) back, or b if rounded.
  constexpr int kBits = 8;
  constexpr int kShards = 2;
  constexpr std::size_t kSize = 64 * 256;
  const std::int64_t ranks = test::world().size();
  const auto per_step = [&](int bits) {
    return static_cast<std::int64_t>(kSize / 256) * (ranks - 1) / ranks * (2 + 32 * bits);
  };
  const auto most = [&](int back) {
    return per_step(sum_bits(kBits, kShards)) + per_step(back) + 2 * 34 * ranks * 9;
  };
  PackedSum<std::int32_t> sum(kSize, 0);
  const SumPlan plan = plan_of(sum, Algorithm::direct);
  for (const bool rounds : {false, true}) {
    fill(sum, share(test::world().rank(), kSize, sum_bits(kBits, kShards)));
    sum.launch(test::world(), plan, rounds ? std::optional(kEightBits) : std::nullopt);
    sum.finish();
    const int back = rounds ? kBits : sum_bits(kBits, kShards * static_cast<int>(ranks));
    EXPECT_LE(sum.bytes(), most(back));
    if (ranks > 1) {
      EXPECT_GT(sum.bytes(), per_step(kBits));  // noise of full width does not get shorter
    } else {
      EXPECT_EQ(sum.bytes(), 0);
    }
  }
}

}  // namespace
}  // namespace adapt
