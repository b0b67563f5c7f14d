#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "mpi/communicator.hpp"
#include "mpi/messages.hpp"
#include "support/world.hpp"

namespace adapt::mpi {
namespace {

std::span<const std::byte> bytes_of(const std::vector<int>& values) {
  return std::as_bytes(std::span(values));
}
std::span<std::byte> bytes_of(std::vector<int>& values) { return std::as_writable_bytes(std::span(values)); }

TEST(Messages, EveryRankToEveryOtherInOrder) {
  Messages messages;
  std::vector<std::vector<int>> incoming;
  std::vector<std::vector<int>> outgoing;
  std::vector<int> senders;
  for (int peer = 0; peer < test::world().size(); ++peer) {
    if (peer != test::world().rank()) {
      for (int turn = 0; turn < 2; ++turn) {
        incoming.emplace_back(10, -1);
        outgoing.emplace_back(std::vector<int>{test::world().rank(), peer, turn});
        senders.push_back(peer);
      }
    }
  }
  for (std::size_t i = 0; i < incoming.size(); ++i) {
    messages.receive(test::world(), bytes_of(incoming[i]), senders[i], 5);
  }
  for (std::size_t i = 0; i < incoming.size(); ++i) {
    messages.send(test::world(), bytes_of(std::as_const(outgoing[i])), senders[i], 5);
  }
  messages.wait();
  EXPECT_TRUE(messages.test());
  for (std::size_t i = 0; i < incoming.size(); ++i) {
    EXPECT_EQ(messages.length(i), 3 * sizeof(int));
    EXPECT_EQ(incoming[i], (std::vector<int>{senders[i], test::world().rank(), static_cast<int>(i % 2), -1,
                                             -1, -1, -1, -1, -1, -1}));
  }
}

TEST(Messages, SumsGoOnBesideOtherCollectiveCalls) {
  Messages messages;
  std::vector<float> first(1000, static_cast<float>(test::world().rank()));
  std::vector<float> second(3, 0.5F);
  messages.sum(test::world(), first);
  if (test::world().rank() % 2 == 0) {  // in another order than the others: nothing to do with the sums
    test::world().barrier();
    messages.sum(test::world(), second);
  } else {
    messages.sum(test::world(), second);
    test::world().barrier();
  }
  while (!messages.test()) {
  }
  const int ranks = test::world().size();
  EXPECT_EQ(first, std::vector<float>(1000, static_cast<float>(ranks * (ranks - 1) / 2)));
  EXPECT_EQ(second, std::vector<float>(3, 0.5F * static_cast<float>(ranks)));
}

TEST(Messages, NoneAreDoneAtOnce) {
  Messages messages;
  EXPECT_TRUE(messages.test());
  messages.wait();
  messages.clear();
  EXPECT_TRUE(messages.test());
}

TEST(AllreduceBytes, AreThoseOfARing) {
  const int ranks = test::world().size();
  EXPECT_EQ(allreduce_bytes(test::world(), 12000), 24000 * (ranks - 1) / ranks);
  EXPECT_EQ(allreduce_bytes(test::world(), 0), 0);
  EXPECT_EQ(allreduce_bytes(test::world(), 1), ranks == 1 ? 0 : ranks == 2 ? 1 : 2) << "rounded up";
}

TEST(Messages, WaitForSomeReturnsWithWhatIsThere) {
  const Communicator& ranks = test::world();
  const int ahead = (ranks.rank() + 1) % ranks.size();
  const int behind = (ranks.rank() + ranks.size() - 1) % ranks.size();
  std::array<std::byte, 8> first = {};
  std::array<std::byte, 8> second = {};
  Messages early;
  Messages late;
  early.receive(ranks, first, behind, 1);
  late.receive(ranks, second, behind, 2);
  Messages sent;
  sent.send(ranks, std::as_bytes(std::span("abc")), ahead, 1);
  Messages::wait_for_some(std::array{&early, &late});  // the other would never come
  EXPECT_TRUE(early.test());
  EXPECT_EQ(early.length(0), 4U);
  EXPECT_FALSE(late.test());
  ranks.barrier();
  sent.send(ranks, std::as_bytes(std::span("d")), ahead, 2);
  Messages::wait_for_some(std::array{&late});
  EXPECT_TRUE(late.test());
  EXPECT_EQ(late.length(0), 2U);
  sent.wait();
  Messages::wait_for_some({});
}

}  // namespace
}  // namespace adapt::mpi
