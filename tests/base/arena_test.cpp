#include "base/arena.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "numerics/random.hpp"

namespace adapt {
namespace {

constexpr std::size_t kMegabyte = std::size_t{1} << 20U;

TEST(Arena, BlocksStandOnCacheLinesAndHaveTheirSize) {
  Arena arena;
  const Arena::Block none = arena.take(0);
  const Arena::Block one = arena.take(1);
  const Arena::Block floats = arena.take(3 * sizeof(float));
  EXPECT_TRUE(none && one && floats);
  EXPECT_NE(none.data(), one.data());
  EXPECT_EQ(floats.as<float>().size(), 3U);
  for (const Arena::Block* block : {&none, &one, &floats}) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block->data()) % 64, 0U);
  }
  EXPECT_EQ(arena.used(), 3 * 64U);
}

TEST(Arena, WhatWasGivenBackIsTakenAgainLowestFirst) {
  Arena arena;
  Arena::Block first = arena.take(640);
  Arena::Block second = arena.take(640);
  const Arena::Block third = arena.take(640);
  std::byte* const lowest = first.data();
  first.reset();
  EXPECT_FALSE(first);
  second = {};  // next to the hole of the first, with which it becomes one
  const Arena::Block both = arena.take(1280);
  EXPECT_EQ(both.data(), lowest);
  EXPECT_EQ(arena.used(), 1280U + 640U);
}

TEST(Arena, ABlockThatMovesKeepsItsPlace) {
  Arena arena;
  Arena::Block from = arena.take(100);
  std::byte* const data = from.data();
  Arena::Block to = std::move(from);
  EXPECT_EQ(to.data(), data);
  EXPECT_EQ(to.size(), 100U);
  to = arena.take(10);  // the old one is given back after the new one is there
  EXPECT_EQ(arena.used(), 64U);
}

TEST(Arena, BlocksNeverOverlap) {
  struct Held {
    Arena::Block block;
    std::uint8_t content;
  };
  Arena arena;
  RandomSequence random({.seed = 3});
  std::vector<Held> held;
  std::size_t footprint = 0;
  const auto rounded = [](std::size_t bytes) { return (bytes + 63) / 64 * 64; };
  for (int i = 0; i < 4000; ++i) {
    if (held.size() < 40 && random.below(2) == 0) {
      // Some are larger than what the arena takes from the system at once.
      const std::size_t bytes = random.below(500) == 0 ? 65 * kMegabyte : 1 + random.below(200'000);
      held.push_back({arena.take(bytes), static_cast<std::uint8_t>(random.below(256))});
      std::memset(held.back().block.data(), held.back().content, bytes);
      footprint += rounded(bytes);
    } else if (!held.empty()) {
      std::swap(held[random.below(static_cast<std::uint32_t>(held.size()))], held.back());
      const auto bytes = held.back().block.as<std::uint8_t>();
      EXPECT_TRUE(std::ranges::all_of(bytes, [&](std::uint8_t b) { return b == held.back().content; }));
      footprint -= rounded(bytes.size());
      held.pop_back();
    }
    if (i % 100 == 0) {
      arena.trim();
    }
    ASSERT_EQ(arena.used(), footprint);
  }
}

/// Pages of the range that are in memory.
std::size_t resident_pages(std::byte* first, std::size_t bytes) {
  std::vector<unsigned char> pages(bytes / static_cast<std::size_t>(getpagesize()));
  EXPECT_EQ(mincore(first, bytes, pages.data()), 0);
  return static_cast<std::size_t>(
      std::ranges::count_if(pages, [](unsigned char page) { return (page & 1U) != 0; }));
}

TEST(Arena, TrimGivesFreePagesBackAndNoOthers) {
  Arena arena;
  const Arena::Block kept = arena.take(kMegabyte);
  Arena::Block freed = arena.take(kMegabyte);
  std::memset(kept.data(), 7, kMegabyte);
  std::memset(freed.data(), 7, kMegabyte);
  std::byte* const place = freed.data();
  freed.reset();
  EXPECT_GT(resident_pages(place, kMegabyte), 0U);
  arena.trim();
  EXPECT_EQ(resident_pages(place, kMegabyte), 0U);
  EXPECT_TRUE(std::ranges::all_of(kept.as<std::uint8_t>(), [](std::uint8_t byte) { return byte == 7; }));
}

}  // namespace
}  // namespace adapt
