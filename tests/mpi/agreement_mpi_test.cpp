#include <gtest/gtest.h>

#include <array>

#include "mpi/agreement.hpp"
#include "mpi/together.hpp"
#include "support/world.hpp"

namespace adapt::mpi {
namespace {

/// What all ranks are told; "" when they agree.
std::string told(const Facts& facts) {
  try {
    agree(test::world(), facts, "one value");
  } catch (const SharedError& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_input);
    return error.what();
  }
  return "";
}

TEST(Agreement, NothingHappensWhereAllAreAlike) {
  EXPECT_EQ(told({}), "");
  EXPECT_EQ(told({{"task", "train"}, {"batch", "64"}}), "");
}

TEST(Agreement, AllRanksAreToldWhatDiffersFirst) {
  for (int odd = 1; odd < test::world().size(); ++odd) {
    const bool is_odd = test::world().rank() == odd;
    const std::string message =
        told({{"task", "train"}, {"batch", is_odd ? "128" : "64"}, {"seed", is_odd ? "2" : "1"}});
    EXPECT_TRUE(message.starts_with(concat("ranks do not agree: batch is 128 on rank ", odd, " (host ")))
        << message;
    EXPECT_NE(message.find(", 64 on rank 0 (host "), std::string::npos) << message;
    EXPECT_TRUE(message.ends_with("; expected one value")) << message;
  }
}

TEST(Agreement, RanksMayHaveOtherNamesAndLengths) {
  if (test::world().size() == 1) {
    return;
  }
  const bool is_root = test::world().rank() == 0;
  const std::string message =
      told(is_root ? Facts{{"a", "1"}} : Facts{{"a", "1"}, {"b", std::string(5000, 'x')}});
  EXPECT_NE(message.find("b is xxx"), std::string::npos) << message;
  EXPECT_NE(message.find("(none) on rank 0"), std::string::npos) << message;
  EXPECT_EQ(message.find(" differ from rank 0)") != std::string::npos, test::world().size() > 2) << message;
}

TEST(Agreement, TextsOfAllRanksAreGathered) {
  const std::vector<std::string> texts =
      test::world().all_gather(std::string(static_cast<std::size_t>(test::world().rank()), 'x'));
  ASSERT_EQ(texts.size(), static_cast<std::size_t>(test::world().size()));
  for (std::size_t rank = 0; rank < texts.size(); ++rank) {
    EXPECT_EQ(texts[rank], std::string(rank, 'x'));
  }
}

TEST(RankTable, NamesRunsOfRanksOnce) {
  EXPECT_EQ(rank_list(std::array<int, 0>{}), "");
  EXPECT_EQ(rank_list(std::array{0, 1, 2, 5, 7, 8}), "0-2, 5, 7-8");
  EXPECT_EQ(rank_table(std::vector<std::string>{"a"}), "0: a");
  EXPECT_EQ(rank_table(std::vector<std::string>{"b", "a", "b", "b"}), "0, 2-3: b; 1: a");
}

}  // namespace
}  // namespace adapt::mpi
