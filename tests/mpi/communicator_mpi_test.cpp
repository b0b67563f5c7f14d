#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <numeric>
#include <vector>

#include "mpi/communicator.hpp"
#include "support/world.hpp"

namespace adapt::mpi {
namespace {

std::int64_t rank_sum() { return test::world().size() * (test::world().size() - 1) / 2; }

TEST(Communicator, RanksAreNumberedFromZero) {
  EXPECT_GE(test::world().rank(), 0);
  EXPECT_LT(test::world().rank(), test::world().size());
}

TEST(Communicator, SumsElementByElement) {
  std::array<std::int64_t, 2> wide = {std::int64_t{test::world().rank()} << 40, 1};
  test::world().sum(wide);
  EXPECT_EQ(wide, (std::array<std::int64_t, 2>{rank_sum() << 40, test::world().size()}));
}

TEST(Communicator, MaximumKeepsNegativeNumbers) {
  constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();
  std::array<std::int64_t, 2> values = {-10 - test::world().rank(), test::world().rank() == 0 ? -1 : kLowest};
  test::world().maximum(values);
  EXPECT_EQ(values, (std::array<std::int64_t, 2>{-10, -1}));
}

TEST(Communicator, SplitsByNode) {
  // All ranks of the test are on one machine.
  std::array<std::int64_t, 2> values = {1, test::world().rank() == 0 ? 1 : 0};
  const Communicator node = test::world().split_shared();
  EXPECT_EQ(node.rank(), test::world().rank());
  node.sum(values);
  EXPECT_EQ(values, (std::array<std::int64_t, 2>{test::world().size(), 1}));
}

TEST(Communicator, EmptyBuffersAreFine) {
  test::world().sum(std::span<std::int64_t>());
  test::world().broadcast(std::span<std::byte>());
  EXPECT_EQ(test::world().broadcast(std::string()), "");
}

TEST(Communicator, BroadcastsBytesOfRank0) {
  std::vector<std::byte> bytes(1000, static_cast<std::byte>(test::world().rank() + 7));
  test::world().broadcast(bytes);
  EXPECT_EQ(bytes, std::vector<std::byte>(1000, std::byte{7}));
}

TEST(Communicator, BroadcastsTextOfAnyRankAndLength) {
  for (int root = 0; root < test::world().size(); ++root) {
    const std::string mine(static_cast<std::size_t>(test::world().rank() * 1000 + 3),
                           static_cast<char>('a' + test::world().rank()));
    const std::string expected(static_cast<std::size_t>(root * 1000 + 3), static_cast<char>('a' + root));
    EXPECT_EQ(test::world().broadcast(mine, root), expected);
  }
}

TEST(Communicator, KnowsWhereRanksAre) {
  // Here all are on one machine.
  EXPECT_EQ(test::world().nodes(), std::vector<int>(static_cast<std::size_t>(test::world().size()), 0));
  Communicator elsewhere = Communicator::world();
  std::vector<int> nodes(static_cast<std::size_t>(elsewhere.size()));
  std::iota(nodes.begin(), nodes.end(), 0);
  elsewhere.pretend_nodes(nodes);
  EXPECT_EQ(elsewhere.nodes(), nodes);
}

TEST(Communicator, CountsTheMessagesOfATree) {
  constexpr std::array<std::int64_t, 5> kExpected = {0, 0, 2, 4, 4};  // by ranks
  EXPECT_EQ(allreduce_messages(test::world()), kExpected.at(static_cast<std::size_t>(test::world().size())));
}

TEST(Communicator, NamesTheLibrary) {
  const std::string version = library_version();
  EXPECT_FALSE(version.empty());
  EXPECT_EQ(version.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace adapt::mpi
