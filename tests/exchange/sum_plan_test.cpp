// The plans of all algorithms, carried out by virtual ranks, on any number of them and in any placement.

#include "exchange/sum_plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <functional>

#include "exchange/integer_encoding.hpp"
#include "exchange/virtual_ranks.hpp"
#include "numerics/naive_rounding.hpp"
#include "numerics/quantize.hpp"

namespace adapt {
namespace {

using test::placed_in_blocks;
using test::placed_in_turn;
using test::VirtualRanks;
using test::VirtualTraffic;

template <class T>
std::vector<std::vector<T>> random_values(int ranks, std::size_t blocks, int bits) {
  std::vector<std::vector<T>> values;
  for (int rank = 0; rank < ranks; ++rank) {
    RandomSequence random({.seed = 8, .shard = static_cast<std::uint32_t>(rank)});
    auto& own = values.emplace_back(blocks * kPackedBlock);
    for (T& value : own) {
      const std::uint64_t word = std::uint64_t{random.bits()} << 32U | random.bits();
      value = static_cast<T>(static_cast<std::int64_t>(word) >> (64 - bits));
    }
  }
  return values;
}

template <class T>
std::vector<T> sum_of(const std::vector<std::vector<T>>& values) {
  std::vector<T> sum(values.front().size());
  for (const auto& own : values) {
    std::transform(sum.begin(), sum.end(), own.begin(), sum.begin(), std::plus<>());
  }
  return sum;
}

std::vector<std::vector<int>> placements(int ranks) {
  std::vector<int> uneven(static_cast<std::size_t>(ranks));  // the first node has one rank only
  std::fill(uneven.begin() + 1, uneven.end(), 1);
  return {placed_in_blocks(ranks, 1), placed_in_blocks(ranks, ranks), placed_in_blocks(ranks, 4),
          placed_in_turn(ranks, 3), uneven};
}

/// Every rank has the sum, whatever the algorithm, the placement and the length.
void check_sums(int ranks, std::size_t blocks) {
  const auto values = random_values<std::int32_t>(ranks, blocks, 20);
  const std::vector<std::int32_t> exact = sum_of(values);
  const SumRounding rounding = {9, {.seed = 3, .stream = Stream::mean_gradients}};
  std::vector<std::int64_t> rounded(exact.begin(), exact.end());
  test::naive_round(rounded, rounding.bits, rounding.key);
  for (const AlgorithmEntry& entry : kNames<Algorithm>) {
    for (const std::vector<int>& nodes : placements(ranks)) {
      SCOPED_TRACE(concat(entry.name, " on ", ranks, " ranks, ", blocks, " blocks"));
      VirtualRanks<std::int32_t> whole(entry.value, values, nodes);
      ASSERT_NO_THROW(whole.run());
      VirtualRanks<std::int32_t> shorter(entry.value, values, nodes);
      ASSERT_NO_THROW(shorter.run(rounding));
      for (int rank = 0; rank < ranks; ++rank) {
        ASSERT_EQ(whole.values()[static_cast<std::size_t>(rank)], exact) << "rank " << rank;
        ASSERT_TRUE(std::ranges::equal(shorter.values()[static_cast<std::size_t>(rank)], rounded));
      }
    }
  }
}

TEST(SumPlans, AnyNumberOfRanksInAnyPlacementGetsTheSum) {
  for (int ranks = 1; ranks <= 24; ++ranks) {
    check_sums(ranks, 5);
  }
  for (const int ranks : {31, 48, 63, 64, 65}) {
    check_sums(ranks, 3);
    check_sums(ranks, 100);
  }
}

TEST(SumPlans, EachBlockIsOwnedByOneRank) {
  for (const AlgorithmEntry& entry : kNames<Algorithm>) {
    for (const int ranks : {1, 3, 8, 21}) {
      for (const std::vector<int>& nodes : placements(ranks)) {
        std::vector<int> owners(301);
        for (int rank = 0; rank < ranks; ++rank) {
          const BlockRange own = entry.make({rank, nodes, owners.size()}).own;
          for (std::size_t block = own.first; block < own.first + own.count; ++block) {
            ++owners.at(block);
          }
        }
        EXPECT_EQ(owners, std::vector<int>(owners.size(), 1)) << entry.name << " on " << ranks;
      }
    }
  }
}

TEST(SumPlans, ATreeHasLogarithmicallyManyRoundsOfTheLeastVolume) {
  for (int ranks = 1; ranks <= 130; ++ranks) {
    const std::size_t blocks = 10 * static_cast<std::size_t>(ranks);  // ten for each
    const auto rounds = static_cast<std::size_t>(std::bit_width(static_cast<unsigned>(ranks - 1)));
    const std::vector<int> nodes = placed_in_blocks(ranks, 1);
    for (int rank = 0; rank < ranks; ++rank) {
      const SumPlan plan = make_tree_plan({rank, nodes, blocks});
      ASSERT_EQ(plan.reduce.size(), rounds);
      ASSERT_EQ(plan.spread.size(), rounds);
      for (const std::vector<Round>& way : {plan.reduce, plan.spread}) {
        std::size_t sent = 0;
        for (const Round& round : way) {
          ASSERT_EQ(round.sends.size(), 1U);
          for (const BlockRange& range : round.sends.front().blocks) {
            sent += range.count;
          }
        }
        ASSERT_EQ(sent, 10 * static_cast<std::size_t>(ranks - 1)) << "all but the own part";
      }
    }
  }
}

/// The extremes of `bits`-bit numbers, of 4,096 shards on 64 ranks: 64 shards on each.
template <class T>
void check_extremes(int bits, std::int64_t lowest, std::int64_t highest) {
  constexpr int kRanks = 64;
  constexpr std::int64_t kOwnShards = 64;
  constexpr int kShards = kRanks * static_cast<int>(kOwnShards);
  ASSERT_LE(sum_bits(bits, kShards), static_cast<int>(8 * sizeof(T)));
  for (const AlgorithmEntry& entry : kNames<Algorithm>) {
    for (const std::int64_t extreme : {lowest, highest}) {
      std::vector<T> own(2 * kPackedBlock, static_cast<T>(extreme * kOwnShards));
      own[1] = 0;
      VirtualRanks<T> ranks(entry.value, std::vector<std::vector<T>>(kRanks, own),
                            placed_in_blocks(kRanks, 8));
      ASSERT_NO_THROW(ranks.run());
      for (const std::vector<T>& sum : ranks.values()) {
        ASSERT_EQ(std::int64_t{sum[0]}, extreme * kShards) << entry.name << ", " << bits << " bits";
        ASSERT_EQ(sum[1], 0);
      }
    }
  }
}

TEST(SumPlans, ExtremesOf4096ShardsDoNotOverflow) {
  for (int bits = 1; bits <= 24; ++bits) {
    const std::int64_t lowest = -(std::int64_t{1} << (bits - 1));
    const std::int64_t highest = -lowest - 1;
    if (sum_bits(bits, 4096) <= 32) {
      check_extremes<std::int32_t>(bits, lowest, highest);
    }
    check_extremes<std::int64_t>(bits, lowest, highest);
  }
}

/// What int8 makes of normal gradients of one shard: a 16-bit grid, then 8 bits for each block.
std::vector<std::int32_t> int8_gradient(std::size_t size, int shard) {
  RandomSequence random({.seed = 4, .shard = static_cast<std::uint32_t>(shard)});
  std::vector<float> gradient(size);
  for (float& value : gradient) {
    value = static_cast<float>(random.normal());
  }
  std::vector<std::int32_t> integers(size);
  quantize_to_integers(gradient, integers, {16, 12}, Rounding::stochastic,
                       {.seed = 5, .shard = static_cast<std::uint32_t>(shard)}, 0);
  round_to_bits(std::span(integers), 8, {.seed = 6, .shard = static_cast<std::uint32_t>(shard)}, 0);
  return integers;
}

VirtualTraffic largest(const std::vector<VirtualTraffic>& traffic) {
  VirtualTraffic most;
  for (const VirtualTraffic& own : traffic) {
    most.bytes = std::max(most.bytes, own.bytes);
    most.messages = std::max(most.messages, own.messages);
  }
  return most;
}

TEST(SumPlans, Int8On64RanksSendsLittleMoreThanTwoBytesForEachGradient) {
  constexpr int kRanks = 64;
  constexpr std::size_t kSize = 32768;  // one bucket
  const SumRounding rounding = {8, {.seed = 7, .stream = Stream::mean_gradients}};
  std::vector<std::vector<std::int32_t>> gradients;
  for (int rank = 0; rank < kRanks; ++rank) {
    gradients.push_back(int8_gradient(kSize, rank));
  }
  VirtualRanks<std::int32_t> tree(Algorithm::tree, gradients, placed_in_blocks(kRanks, 1));
  tree.run(rounding);
  EXPECT_LE(largest(tree.traffic()).bytes, 23 * kSize / 10);
  EXPECT_GT(largest(tree.traffic()).bytes, 19 * kSize / 10);
  EXPECT_EQ(largest(tree.traffic()).messages, 12);

  constexpr int kNodes = 4;
  VirtualRanks<std::int32_t> nodes(Algorithm::hierarchical, gradients,
                                   placed_in_blocks(kRanks, kRanks / kNodes));
  nodes.run(rounding);
  std::int64_t between_nodes = 0;
  for (const VirtualTraffic& own : nodes.traffic()) {
    between_nodes += own.network_bytes;
  }
  EXPECT_LE(between_nodes, kNodes * 23 * std::int64_t{kSize} / 10) << "of a node, not of each of its ranks";
  EXPECT_EQ(nodes.values().front(), tree.values().front());
}

}  // namespace
}  // namespace adapt
