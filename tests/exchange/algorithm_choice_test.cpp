#include "exchange/algorithm_choice.hpp"

#include <gtest/gtest.h>

#include <array>

#include "exchange/virtual_ranks.hpp"

namespace adapt {
namespace {

using test::placed_in_blocks;

constexpr LinkCosts kEthernet = {.node = {1e-6, 1e-10}, .network = {25e-6, 8e-10}};
constexpr std::array<std::size_t, 2> kBuckets = {128, 200};

TEST(AlgorithmChoice, FollowsFromRanksNodesAndLinks) {
  const auto fastest = [](int ranks, int per_node, const LinkCosts& costs) {
    return fastest_algorithm(placed_in_blocks(ranks, per_node), kBuckets, 8, costs);
  };
  EXPECT_EQ(fastest(2, 1, kEthernet), Algorithm::direct);
  EXPECT_EQ(fastest(64, 1, kEthernet), Algorithm::tree) << "64 nodes of one rank: few messages";
  EXPECT_EQ(fastest(64, 16, kEthernet), Algorithm::hierarchical) << "few bytes between nodes";
  const LinkCosts no_latency = {.node = {0, 1e-10}, .network = {0, 1e-10}};
  EXPECT_EQ(fastest(16, 1, no_latency), Algorithm::direct) << "its numbers are the narrowest";
}

TEST(AlgorithmChoice, ModelAddsUpMessagesAndBytes) {
  const std::vector<int> nodes = {0, 0, 2};
  const SumTask task = {0, nodes, 3};  // a block for each rank
  const LinkCosts costs = {.node = {1, 0.5}, .network = {10, 2}};
  // There a block of 8 bits to each of the others, and back the own one to both: 256 bytes each.
  EXPECT_DOUBLE_EQ(modelled_seconds(make_direct_plan(task), task, 8, costs),
                   2 * (1 + 256 * 0.5) + 2 * (10 + 256 * 2));
}

}  // namespace
}  // namespace adapt
