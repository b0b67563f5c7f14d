#include "base/thread_team.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace adapt {
namespace {

TEST(ThreadTeam, EachPartHasItsThreadAndTheCallerTheFirst) {
  ThreadTeam team(3, 1);
  EXPECT_EQ(team.size(), 3);
  std::vector<std::thread::id> threads(3);
  team.run([&](int part) { threads[static_cast<std::size_t>(part)] = std::this_thread::get_id(); });
  EXPECT_EQ(threads.front(), std::this_thread::get_id());
  EXPECT_EQ(std::set(threads.begin(), threads.end()).size(), 3U);
  for (int round = 0; round < 1000; ++round) {
    team.run(
        [&](int part) { ASSERT_EQ(threads[static_cast<std::size_t>(part)], std::this_thread::get_id()); });
  }
}

TEST(ThreadTeam, WorksSideBySide) {
  ThreadTeam team(2, 1);
  std::atomic<int> arrived = 0;
  team.run([&](int /*part*/) {
    ++arrived;
    while (arrived < 2) {
      std::this_thread::yield();
    }
  });
  EXPECT_EQ(arrived, 2);
}

TEST(ThreadTeam, TheErrorOfTheFirstPartIsThrownOnceAllAreDone) {
  ThreadTeam team(4, 1);
  std::atomic<int> done = 0;
  const auto fail_from = [&](int first) {
    team.run([&, first](int part) {
      ++done;
      if (part >= first) {
        throw std::runtime_error(std::to_string(part));
      }
    });
  };
  for (const int first : {0, 1, 3}) {
    done = 0;
    try {
      fail_from(first);
      ADD_FAILURE() << "nothing was thrown";
    } catch (const std::runtime_error& error) {
      EXPECT_EQ(error.what(), std::to_string(first));
    }
    EXPECT_EQ(done, 4);
  }
  EXPECT_NO_THROW(fail_from(4));
}

TEST(ThreadTeam, OfOneIsTheCaller) {
  ThreadTeam team(1, 1);
  int calls = 0;
  team.run([&](int part) { calls += part == 0 ? 1 : 100; });
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace adapt
