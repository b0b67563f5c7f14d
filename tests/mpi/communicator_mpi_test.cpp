#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <vector>

#include "mpi/communicator.hpp"

namespace adapt::mpi {
namespace {

const Communicator kRanks;

std::int64_t rank_sum() { return kRanks.size() * (kRanks.size() - 1) / 2; }

TEST(Communicator, RanksAreNumberedFromZero) {
  EXPECT_GE(kRanks.rank(), 0);
  EXPECT_LT(kRanks.rank(), kRanks.size());
}

TEST(Communicator, SumsElementByElement) {
  std::array<std::int32_t, 2> narrow = {kRanks.rank(), -1};
  std::array<std::int64_t, 2> wide = {std::int64_t{kRanks.rank()} << 40, 1};
  std::array<float, 1> real = {0.5F};
  kRanks.sum(narrow);
  kRanks.sum(wide);
  kRanks.sum(real);
  EXPECT_EQ(narrow, (std::array<std::int32_t, 2>{static_cast<std::int32_t>(rank_sum()), -kRanks.size()}));
  EXPECT_EQ(wide, (std::array<std::int64_t, 2>{rank_sum() << 40, kRanks.size()}));
  EXPECT_EQ(real[0], 0.5F * static_cast<float>(kRanks.size()));
}

TEST(Communicator, MaximumKeepsNegativeNumbers) {
  constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();
  std::array<std::int64_t, 2> values = {-10 - kRanks.rank(), kRanks.rank() == 0 ? -1 : kLowest};
  kRanks.maximum(values);
  EXPECT_EQ(values, (std::array<std::int64_t, 2>{-10, -1}));
}

TEST(Communicator, SumsOnTheNode) {
  // All ranks of the test are on one machine.
  std::array<std::int64_t, 2> values = {1, kRanks.rank() == 0 ? 1 : 0};
  kRanks.sum_on_node(values);
  EXPECT_EQ(values, (std::array<std::int64_t, 2>{kRanks.size(), 1}));
}

TEST(Communicator, EmptyBuffersAreFine) {
  kRanks.sum(std::span<std::int64_t>());
  kRanks.broadcast(std::span<std::byte>());
  EXPECT_EQ(kRanks.broadcast(std::string()), "");
}

TEST(Communicator, BroadcastsBytesOfRank0) {
  std::vector<std::byte> bytes(1000, static_cast<std::byte>(kRanks.rank() + 7));
  kRanks.broadcast(bytes);
  EXPECT_EQ(bytes, std::vector<std::byte>(1000, std::byte{7}));
}

TEST(Communicator, BroadcastsTextOfAnyRankAndLength) {
  for (int root = 0; root < kRanks.size(); ++root) {
    const std::string mine(static_cast<std::size_t>(kRanks.rank() * 1000 + 3),
                           static_cast<char>('a' + kRanks.rank()));
    const std::string expected(static_cast<std::size_t>(root * 1000 + 3), static_cast<char>('a' + root));
    EXPECT_EQ(kRanks.broadcast(mine, root), expected);
  }
}

TEST(Communicator, NamesTheLibrary) {
  const std::string version = library_version();
  EXPECT_FALSE(version.empty());
  EXPECT_EQ(version.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace adapt::mpi
